"""The candles themselves, and what became of final ones that changed."""

from typing import Final

from django.db import models
from django.db.models import Q

from markets.choices import Source
from markets.models.places import Series
from markets.querysets import CandleQuerySet
from project.core.moments import from_ms

#: PostgreSQL counts NaN as greater than any number; SQLite makes it NULL, which is refused too.
_GREATEST: Final = 1.7e308


def _finite() -> Q:
    found = Q()
    for name in ("open", "high", "low", "close", "volume"):
        found &= Q((f"{name}__lt", _GREATEST), (f"{name}__gt", -_GREATEST))
    return found


class Candle(models.Model):
    """One candle; written by ``storing.upsert_candles`` alone.

    The table is made by SQL in the first migration: WITHOUT ROWID on SQLite, partitioned by
    ``open_time`` on PostgreSQL.
    """

    pk = models.CompositePrimaryKey("series_id", "open_time")
    series = models.ForeignKey(Series, models.PROTECT, related_name="candles", db_index=False)
    open_time = models.BigIntegerField(help_text="milliseconds since 1970, UTC")
    open = models.FloatField()
    high = models.FloatField()
    low = models.FloatField()
    close = models.FloatField()
    volume = models.FloatField()
    final = models.BooleanField(help_text="the exchange will not change it, as far as it says")
    trades = models.BigIntegerField(null=True, help_text="number of trades, where it is told")
    quote_volume = models.FloatField(null=True)

    objects = CandleQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        constraints = [
            models.CheckConstraint(name="candle_time_positive", condition=Q(open_time__gte=0)),
            models.CheckConstraint(name="candle_values_finite", condition=_finite()),
        ]

    def __str__(self) -> str:
        return f"{self.series_id} {self.open_time}"


class CandleRevision(models.Model):
    """A final candle that the exchange changed later: both versions of it."""

    series = models.ForeignKey(Series, models.PROTECT, related_name="revisions", db_index=False)
    open_time = models.BigIntegerField(help_text="milliseconds since 1970, UTC")
    seen_at = models.DateTimeField()
    source = models.CharField(max_length=10, choices=Source)
    old_open = models.FloatField()
    old_high = models.FloatField()
    old_low = models.FloatField()
    old_close = models.FloatField()
    old_volume = models.FloatField()
    new_open = models.FloatField()
    new_high = models.FloatField()
    new_low = models.FloatField()
    new_close = models.FloatField()
    new_volume = models.FloatField()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-id",)
        indexes = [
            # a candle's history; the chart's marks
            models.Index(fields=["series", "open_time"], name="revision_candle"),
        ]

    def __str__(self) -> str:
        return f"candle of {from_ms(self.open_time):%Y-%m-%d %H:%M} changed"
