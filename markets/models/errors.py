"""What failed: each request that did, and the alerts of what fails again and again."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from markets.choices import ErrorClass
from markets.models.collectors import CollectorConfig
from markets.models.places import Market
from markets.querysets import AlertQuerySet
from project.core.moments import from_ms


class ApiErrorLog(models.Model):
    """One failure on the way to an exchange, at it, or of storing what it gave.

    Names, no keys: the log outlives what it speaks of. Its table is kept in pieces of time on
    PostgreSQL; write through ``errorlog.record``, which makes the piece.
    """

    happened_ms = models.BigIntegerField(help_text="milliseconds since 1970, UTC")
    exchange = models.CharField(max_length=40, help_text="ccxt's id")
    collector = models.CharField(max_length=80, blank=True)
    market = models.CharField(max_length=60, blank=True, help_text="e.g. BTC/USDT")
    timeframe = models.CharField(max_length=4, blank=True)
    error_class = models.CharField(max_length=12, choices=ErrorClass)
    is_retryable = models.BooleanField()
    code = models.CharField(max_length=60, help_text="of our error, or the exception's name")
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP, where there was one")
    message = models.CharField(max_length=300, blank=True)
    egress = models.CharField(max_length=120, blank=True)
    attempt = models.PositiveIntegerField(default=1, help_text="at this request")
    retry_after_s = models.FloatField(null=True, help_text="as the exchange asked")
    run_id = models.UUIDField(null=True)

    class Meta:
        """Order of lists."""

        ordering = ("-id",)
        verbose_name = "API error"
        verbose_name_plural = "API errors"
        indexes = [
            # the chart of the last day; what is searched for by exchange and class
            models.Index(fields=["happened_ms", "error_class"], name="apierror_time"),
            models.Index(fields=["exchange", "-id"], name="apierror_exchange"),
            models.Index(fields=["error_class", "-id"], name="apierror_class"),
        ]

    def __str__(self) -> str:
        return f"{self.error_class} of {self.exchange} at {self.happened_at:%Y-%m-%d %H:%M:%S}"

    @property
    def happened_at(self) -> datetime:
        """When it happened, UTC."""
        return from_ms(self.happened_ms)


class Alert(models.Model):
    """A market that a collector fails to collect, again and again.

    The row begins with the first failure and is an alert once ``raised_at`` is set; the next
    success closes it, or drops it where it never became one.
    """

    collector = models.ForeignKey(CollectorConfig, models.CASCADE, related_name="alerts")
    market = models.ForeignKey(Market, models.CASCADE, related_name="alerts")
    failures = models.PositiveIntegerField(default=1, help_text="cycles in a row")
    began_at = models.DateTimeField(help_text="the first of them")
    last_at = models.DateTimeField(help_text="the last of them")
    raised_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="by the next success")
    error_class = models.CharField(max_length=12, choices=ErrorClass)
    message = models.CharField(max_length=300, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True, help_text="staff take care of it")
    seen_by = models.CharField(max_length=150, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-id",)
        constraints = [
            # the row that failures in a row are counted in; rivals find it by this
            models.UniqueConstraint(
                fields=["collector", "market"],
                condition=Q(closed_at__isnull=True),
                name="alert_once_while_open",
            ),
            models.CheckConstraint(name="alert_counts_failures", condition=Q(failures__gte=1)),
            models.CheckConstraint(
                name="alert_closed_was_raised",
                condition=Q(closed_at__isnull=True) | Q(raised_at__isnull=False),
            ),
        ]
        indexes = [
            # issues, metrics and the list of what is open
            models.Index(
                fields=["raised_at"],
                name="alert_open",
                condition=Q(closed_at__isnull=True, raised_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"alert {self.pk}"
