"""Where stored candles and the exchange disagree: found by audits, settled by staff."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from markets.choices import DifferenceKind, DifferenceState
from markets.models.places import Series


def no_values() -> dict[str, Any]:
    """Return no values."""
    return {}


class AuditDifference(models.Model):
    """One stored candle that the exchange tells otherwise; at most one open row per candle."""

    series = models.ForeignKey(Series, models.PROTECT, related_name="differences", db_index=False)
    open_time = models.BigIntegerField(help_text="milliseconds since 1970, UTC")
    kind = models.CharField(max_length=10, choices=DifferenceKind)
    state = models.CharField(max_length=10, choices=DifferenceState, default=DifferenceState.OPEN)
    stored = models.JSONField(default=no_values, help_text="the candle as it was stored")
    told = models.JSONField(
        default=no_values, blank=True, help_text="as the exchange tells it; empty: it has none"
    )
    run_id = models.UUIDField(null=True, blank=True, help_text="the audit that found it")
    found_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=150, blank=True)

    class Meta:
        """Rules kept by the database."""

        ordering = ("-id",)
        constraints = [
            # the last guard against two rows for one candle; also the index of the chart's marks
            models.UniqueConstraint(
                fields=["series", "open_time"],
                condition=Q(state=DifferenceState.OPEN),
                name="difference_once_while_open",
            ),
            models.CheckConstraint(
                name="difference_settled_at_says_it_is_settled",
                condition=Q(state=DifferenceState.OPEN, settled_at__isnull=True)
                | (~Q(state=DifferenceState.OPEN) & Q(settled_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"difference {self.pk}"
