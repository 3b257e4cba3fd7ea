"""What is missing, who repairs it, and how good a series is."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from markets.choices import MISSING, FindingKind, GapReason, GapState, Origin, Source, TaskStatus
from markets.models.places import Series
from markets.querysets import BackfillTaskQuerySet, FindingQuerySet, GapQuerySet
from project.core.moments import from_ms


def no_evidence() -> list[dict[str, Any]]:
    """Return an empty list of evidence."""
    return []


class BackfillTask(models.Model):
    """A range to be asked for again; each attempt at it is a run."""

    series = models.ForeignKey(
        Series, models.PROTECT, related_name="backfill_tasks", db_index=False
    )
    start_ms = models.BigIntegerField(help_text="first candle wanted")
    end_ms = models.BigIntegerField(help_text="exclusive")
    priority = models.PositiveSmallIntegerField(default=50, help_text="0 to 100; higher goes first")
    status = models.CharField(max_length=10, choices=TaskStatus, default=TaskStatus.PENDING)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.GAP)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    progress = models.FloatField(default=0, help_text="0 to 100")
    done_until_ms = models.BigIntegerField(
        null=True, blank=True, help_text="where the next attempt goes on"
    )
    stored_before = models.PositiveIntegerField(
        default=0, help_text="candles of the range that were stored when it was asked for"
    )
    candles_found = models.PositiveIntegerField(default=0, help_text="that were missing before")
    run_id = models.UUIDField(null=True, blank=True, help_text="the last attempt")
    claim_attempt = models.PositiveIntegerField(
        null=True, blank=True, help_text="fencing token: which attempt of the run has it"
    )
    error_type = models.CharField(max_length=100, blank=True)
    error_message = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = BackfillTaskQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="backfill_range_not_empty", condition=Q(end_ms__gt=F("start_ms"))
            ),
            models.CheckConstraint(
                name="backfill_priority_range", condition=Q(priority__gte=0, priority__lte=100)
            ),
            models.CheckConstraint(
                name="backfill_progress_is_a_percentage",
                condition=Q(progress__gte=0, progress__lte=100),
            ),
            models.CheckConstraint(
                name="backfill_is_claimed_while_running",
                condition=Q(
                    status=TaskStatus.RUNNING, claim_attempt__isnull=False, run_id__isnull=False
                )
                | (~Q(status=TaskStatus.RUNNING) & Q(claim_attempt__isnull=True)),
            ),
            models.CheckConstraint(
                name="backfill_ended_at_says_it_ended",
                condition=Q(status__in=["completed", "failed"], ended_at__isnull=False)
                | Q(status__in=["pending", "running"], ended_at__isnull=True),
            ),
        ]
        indexes = [
            # backfilling.start_due: the most urgent of those that wait
            models.Index(
                F("priority").desc(),
                "created_at",
                name="backfill_pending",
                condition=Q(status=TaskStatus.PENDING),
            ),
            # a market's page: its tasks
            models.Index(fields=["series", "start_ms"], name="backfill_series"),
            # backfilling: the task of a run
            models.Index(fields=["run_id"], name="backfill_run"),
        ]

    def __str__(self) -> str:
        return f"backfill {self.pk}"

    def claimed_by(self, run_id: uuid.UUID, attempt: int) -> bool:
        """Say whether this attempt of a run has the task."""
        return self.run_id == run_id and self.claim_attempt == attempt


class Gap(models.Model):
    """Candles missing in a row: ``[start_ms, end_ms)`` of the ledger."""

    series = models.ForeignKey(Series, models.PROTECT, related_name="gaps", db_index=False)
    start_ms = models.BigIntegerField(help_text="first missing candle")
    end_ms = models.BigIntegerField(help_text="exclusive: the next candle that is stored")
    missing = models.PositiveIntegerField(help_text="candles")
    reason = models.CharField(max_length=16, choices=GapReason, default=GapReason.UNKNOWN)
    state = models.CharField(max_length=12, choices=GapState, default=GapState.OPEN)
    evidence = models.JSONField(default=no_evidence, blank=True)
    looks = models.PositiveIntegerField(
        default=0, help_text="whole payloads that show the candles on both sides and none inside"
    )
    attempts = models.PositiveIntegerField(default=0)
    next_look_at = models.DateTimeField(null=True, blank=True)
    found_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = GapQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="gap_range_not_empty", condition=Q(end_ms__gt=F("start_ms"), missing__gte=1)
            ),
            models.CheckConstraint(
                name="gap_closed_at_says_it_closed",
                condition=Q(state=GapState.CLOSED, closed_at__isnull=False)
                | (~Q(state=GapState.CLOSED) & Q(closed_at__isnull=True)),
            ),
            # the last guard against two rows, and so two tasks, for one hole; the ledger's index
            models.UniqueConstraint(
                fields=["series", "start_ms"],
                condition=Q(state__in=MISSING),
                name="gap_once_while_missing",
            ),
        ]
        indexes = [
            # surveying: the same hole on other symbols of the exchange
            models.Index(
                fields=["start_ms", "end_ms"], name="gap_same_hole", condition=Q(state__in=MISSING)
            ),
            # backfilling.make_tasks: what may be looked at
            models.Index(
                fields=["series", "next_look_at"],
                name="gap_open",
                condition=Q(state=GapState.OPEN),
            ),
            # a market's page: its gaps in time
            models.Index(fields=["series", "start_ms"], name="gap_series"),
        ]

    def __str__(self) -> str:
        return f"gap {self.pk}"


class QualitySummary(models.Model):
    """How good one UTC day of a series is; the formula of the score is in ``scoring``."""

    series = models.ForeignKey(Series, models.PROTECT, related_name="summaries", db_index=False)
    start_ms = models.BigIntegerField()
    end_ms = models.BigIntegerField(help_text="exclusive")
    expected = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    out_of_order = models.PositiveIntegerField(default=0)
    misaligned = models.PositiveIntegerField(default=0)
    bad_ohlc = models.PositiveIntegerField(default=0)
    bad_value = models.PositiveIntegerField(default=0)
    price_jumps = models.PositiveIntegerField(default=0)
    volume_anomalies = models.PositiveIntegerField(default=0)
    flat = models.PositiveIntegerField(default=0, help_text="candles of flat lines")
    stalled = models.PositiveIntegerField(
        default=0, db_default=0, help_text="candles that repeat the one before to the letter"
    )
    excused = models.PositiveIntegerField(
        default=0, help_text="not stored, and known not to be there: not counted as missing"
    )
    score = models.FloatField(default=100)
    computed_at = models.DateTimeField(default=timezone.now)
    is_stale = models.BooleanField(
        default=False, help_text="its candles changed since; the next check counts them again"
    )

    class Meta:
        """Rules kept by the database."""

        ordering = ("-start_ms", "series")
        verbose_name_plural = "quality summaries"
        constraints = [
            models.CheckConstraint(
                name="quality_range_not_empty", condition=Q(end_ms__gt=F("start_ms"))
            ),
            models.CheckConstraint(
                name="quality_score_range", condition=Q(score__gte=0, score__lte=100)
            ),
            # also the index by which a series' days are read
            models.UniqueConstraint(fields=["series", "start_ms"], name="quality_day_once"),
        ]
        indexes = [
            # the report of the last hours over all series
            models.Index(fields=["start_ms"], name="quality_window"),
            # summarising.recount: days to be counted again
            models.Index(
                fields=["series", "start_ms"], name="quality_stale", condition=Q(is_stale=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{from_ms(self.start_ms):%Y-%m-%d}: {self.score:.0f}"


class Finding(models.Model):
    """What was wrong or odd about candles that came: ``[start_ms, end_ms)``, seen once or often."""

    series = models.ForeignKey(Series, models.PROTECT, related_name="findings", db_index=False)
    kind = models.CharField(max_length=16, choices=FindingKind)
    start_ms = models.BigIntegerField(help_text="open time of the first candle, as it came")
    end_ms = models.BigIntegerField(help_text="exclusive")
    count = models.PositiveIntegerField(default=1, help_text="candles that it stands for")
    is_stored = models.BooleanField(help_text="the candle was kept; else it was left out")
    detail = models.JSONField(default=dict, blank=True, help_text="what was seen")
    source = models.CharField(max_length=10, choices=Source)
    found_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    times_seen = models.PositiveIntegerField(default=1)
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text="staff say that it is right: it doesn't count any more"
    )
    settled_by = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=300, blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="finding_range_not_empty", condition=Q(end_ms__gt=F("start_ms"), count__gte=1)
            ),
            models.CheckConstraint(
                name="finding_settled_says_by_whom",
                condition=Q(settled_at__isnull=True, settled_by="")
                | (Q(settled_at__isnull=False) & ~Q(settled_by="")),
            ),
            # the same fault of the same candle is one row, however often it is seen; also the
            # index of the chart and of the days' counts
            models.UniqueConstraint(fields=["series", "start_ms", "kind"], name="finding_once"),
        ]
        indexes = [
            # the clean-up of old ones
            models.Index(fields=["last_seen_at"], name="finding_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {from_ms(self.start_ms):%Y-%m-%d %H:%M}"
