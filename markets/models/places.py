"""Where candles come from: exchanges, their markets, and a market in a timeframe."""

from django.db import models
from django.utils import timezone

from markets.querysets import MarketQuerySet, SeriesQuerySet


class Exchange(models.Model):
    """One exchange, by ccxt's id."""

    name = models.CharField(max_length=40, unique=True, help_text="ccxt's id, e.g. binance")
    title = models.CharField(max_length=80, blank=True)
    refreshed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="when its markets were last read"
    )
    rate_limits = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text="what one address may ask, as the exchange told with its markets: "
        "[{units, per_s, by_weight}]; empty: it didn't tell",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Order of lists."""

        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Market(models.Model):
    """What is traded on one exchange under one symbol."""

    exchange = models.ForeignKey(Exchange, models.PROTECT, related_name="markets", db_index=False)
    symbol = models.CharField(max_length=60, help_text="ccxt's spelling, e.g. BTC/USDT")
    base = models.CharField(max_length=30, blank=True)
    quote = models.CharField(max_length=30, blank=True)
    exchange_symbol = models.CharField(
        max_length=60, blank=True, editable=False, help_text="the exchange's own spelling"
    )
    enabled = models.BooleanField(default=False, help_text="collected, checked and repaired")
    is_listed = models.BooleanField(default=True, editable=False)
    listed_ms = models.BigIntegerField(
        null=True, blank=True, editable=False, help_text="when trading began, as the exchange says"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MarketQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("exchange__name", "symbol")
        constraints = [
            # also the index by which commands and loaders find a market
            models.UniqueConstraint(fields=["exchange", "symbol"], name="market_symbol_once"),
        ]
        indexes = [
            # lists: the enabled ones of thousands
            models.Index(
                fields=["exchange", "symbol"],
                name="market_enabled",
                condition=models.Q(enabled=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.exchange.name}:{self.symbol}"


class Series(models.Model):
    """One market in one timeframe: what candles belong to."""

    market = models.ForeignKey(Market, models.PROTECT, related_name="series", db_index=False)
    timeframe = models.CharField(max_length=4)
    collected_from_ms = models.BigIntegerField(
        null=True, blank=True, editable=False, help_text="nothing before was asked for yet"
    )
    collected_until_ms = models.BigIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="everything before was asked for, whether the exchange had it or not",
    )
    collected_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="last page that was whole"
    )
    checked_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="last quality check"
    )
    failures = models.PositiveIntegerField(
        default=0, editable=False, help_text="collect attempts failed in a row"
    )
    last_error = models.CharField(max_length=300, blank=True, editable=False)

    objects = SeriesQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("market__exchange__name", "market__symbol", "timeframe")
        verbose_name_plural = "series"
        constraints = [
            # also the index by which a market's timeframe is found
            models.UniqueConstraint(fields=["market", "timeframe"], name="series_timeframe_once"),
        ]

    def __str__(self) -> str:
        return f"{self.market} {self.timeframe}"
