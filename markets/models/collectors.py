"""What is to be collected and how, and the rate budgets that all processes share."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from markets.choices import Egress, Mode, Policy
from markets.models.places import Exchange
from markets.querysets import CollectorConfigQuerySet


def no_symbols() -> list[dict[str, Any]]:
    """Return an empty list of symbols."""
    return []


class CollectorConfig(models.Model):
    """One collector, in the shape of a collector file (README, "Collector files")."""

    name = models.SlugField(max_length=80, unique=True)
    enabled = models.BooleanField(default=True, help_text="the collect cycle runs it")
    exchange = models.ForeignKey(Exchange, models.PROTECT, related_name="collectors")
    rest_url = models.CharField(
        max_length=300, blank=True, help_text="instead of the usual; may be ${VAR:default}"
    )
    ws_url = models.CharField(
        max_length=300, blank=True, help_text="instead of the usual; may be ${VAR:default}"
    )
    timeout_s = models.FloatField(default=10)
    symbols = models.JSONField(
        default=no_symbols, help_text='e.g. [{"symbol": "BTC/USDT", "timeframes": ["1m"]}]'
    )
    mode = models.CharField(max_length=12, choices=Mode, default=Mode.INCREMENTAL)
    start_at = models.DateTimeField(null=True, blank=True, help_text="first moment wanted")
    end_at = models.DateTimeField(null=True, blank=True, help_text="exclusive; of mode range")
    request_limit = models.PositiveIntegerField(default=1000, help_text="candles a request")
    concurrency = models.PositiveIntegerField(default=4, help_text="series at once")
    rate_requests = models.PositiveIntegerField(default=1200)
    rate_per_s = models.FloatField(default=60)
    retry_attempts = models.PositiveIntegerField(default=5, help_text="of one request")
    retry_base_s = models.FloatField(default=1)
    retry_max_s = models.FloatField(default=60)
    validation_policy = models.CharField(max_length=14, choices=Policy, default=Policy.SKIP)
    price_jump_mad = models.FloatField(default=12, help_text="times the usual move")
    is_sparse = models.BooleanField(
        default=False, help_text="the exchange leaves out candles without a trade"
    )
    egress = models.CharField(max_length=16, choices=Egress, default=Egress.DIRECT)
    source = models.JSONField(
        default=dict, blank=True, editable=False, help_text="the file as it was written"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CollectorConfigQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("name",)
        verbose_name = "collector"
        constraints = [
            models.CheckConstraint(
                name="collector_range_is_whole",
                condition=~Q(mode=Mode.RANGE)
                | Q(start_at__isnull=False, end_at__isnull=False, end_at__gt=F("start_at")),
            ),
            models.CheckConstraint(
                name="collector_request_sane",
                condition=Q(
                    request_limit__gte=2,
                    request_limit__lte=10_000,
                    concurrency__gte=1,
                    concurrency__lte=64,
                    timeout_s__gt=0,
                ),
            ),
            models.CheckConstraint(
                name="collector_rate_positive",
                condition=Q(rate_requests__gte=1, rate_per_s__gt=0),
            ),
            models.CheckConstraint(
                name="collector_retry_sane",
                condition=Q(
                    retry_attempts__gte=1, retry_base_s__gte=0, retry_max_s__gte=F("retry_base_s")
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RateBudget(models.Model):
    """What may leave one address for one exchange, over all processes and workers."""

    exchange = models.CharField(max_length=40)
    egress = models.CharField(max_length=120, help_text="direct, or the proxy's exit address")
    next_slot_us = models.BigIntegerField(
        default=0, help_text="busy until then, less the burst; microseconds since 1970"
    )
    used = models.PositiveIntegerField(
        null=True, blank=True, help_text="weight that the exchange last counted in its window"
    )
    used_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="of that window, as the exchange tells"
    )
    used_at = models.DateTimeField(null=True, blank=True, help_text="when it told")
    blocked_until = models.DateTimeField(
        null=True, blank=True, help_text="until then the exchange wants no request at all"
    )
    block_reason = models.CharField(max_length=200, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="in a row")

    class Meta:
        """Rules kept by the database."""

        ordering = ("exchange", "egress")
        constraints = [
            # the row that rivals compare and set
            models.UniqueConstraint(fields=["exchange", "egress"], name="budget_once"),
        ]

    def __str__(self) -> str:
        return f"{self.exchange} from {self.egress}"
