"""How the pools looked, a row per pool and moment; and what fetches came to."""

from datetime import UTC, datetime

from django.db import models
from django.db.models import Q

from proxies.choices import FetchError, FetchOutcome, Grain
from proxies.querysets import PoolSnapshotQuerySet


class PoolSnapshot(models.Model):
    """Sizes, scores and latencies of one pool at one moment; ``pool`` is empty for all together."""

    second = models.BigIntegerField(help_text="seconds since 1970, UTC, on the grid of the grain")
    grain_s = models.PositiveIntegerField(choices=Grain, default=Grain.MINUTE)
    pool = models.CharField(max_length=4, blank=True, help_text="empty: all together")
    size = models.FloatField(default=0, help_text="healthy proxies")
    leases = models.FloatField(default=0, help_text="that stood")
    unproven = models.FloatField(default=0)
    failing = models.FloatField(default=0)
    retired = models.FloatField(default=0)
    score_p10 = models.FloatField(null=True)
    score_p50 = models.FloatField(null=True)
    score_p90 = models.FloatField(null=True)
    latency_p50 = models.FloatField(null=True, help_text="ms")
    latency_p95 = models.FloatField(null=True, help_text="ms")
    latency_p99 = models.FloatField(null=True, help_text="ms")

    objects = PoolSnapshotQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        verbose_name_plural = "pool overview"
        ordering = ("-second", "pool")
        constraints = [
            # sampling: a minute is told once; charting: a stretch of time of one grain
            models.UniqueConstraint(fields=["grain_s", "second", "pool"], name="pool_seen_once"),
        ]

    def __str__(self) -> str:
        return f"{self.pool or 'all pools'} at {self.at:%Y-%m-%d %H:%M}"

    @property
    def at(self) -> datetime:
        """The moment, UTC."""
        return datetime.fromtimestamp(self.second, UTC)


class SourceFetch(models.Model):
    """What one fetch of a source came to."""

    source = models.ForeignKey("proxies.ProxySource", models.CASCADE, related_name="fetches")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=7, choices=FetchOutcome)
    error_type = models.CharField(max_length=7, choices=FetchError, blank=True)
    took_s = models.FloatField()
    accepted = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)

    class Meta:
        """Rules kept by the database."""

        verbose_name_plural = "source fetches"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="fetch_that_failed_says_why",
                condition=(Q(outcome=FetchOutcome.ERROR) & ~Q(error_type=""))
                | (~Q(outcome=FetchOutcome.ERROR) & Q(error_type="")),
            ),
        ]
        indexes = [
            # charting: the last day of all sources; sampling: forgetting the old ones
            models.Index(fields=["at"], name="fetch_age"),
            # a source's page: its latest fetches
            models.Index(fields=["source", "-id"], name="fetch_source_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} at {self.at:%Y-%m-%d %H:%M:%S}"
