"""What is remembered of storage: backups, and the statistics of the database pools."""

from datetime import UTC, datetime

from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import Exact

from project.core.models import Run
from project.storage.choices import BackupState, DatabaseKind, Grain
from project.storage.querysets import BackupQuerySet, PoolSampleQuerySet


class Backup(models.Model):
    """One backup file: what it holds, and when it was last found good."""

    file = models.CharField(max_length=200, unique=True, help_text="its name in the folder")
    database = models.CharField(max_length=10, choices=DatabaseKind)
    state = models.CharField(max_length=10, choices=BackupState, default=BackupState.GOOD)
    made_at = models.DateTimeField(help_text="the moment that it shows")
    size_bytes = models.PositiveBigIntegerField()
    content_bytes = models.PositiveBigIntegerField(help_text="size unpacked")
    sha256 = models.CharField(max_length=64)
    counts = models.JSONField(default=dict, help_text="rows per table")
    took_s = models.FloatField(help_text="seconds to copy, pack and verify it")
    verified_at = models.DateTimeField(help_text="last unpacked, opened and counted")
    drilled_at = models.DateTimeField(
        null=True, blank=True, help_text="last restored into a scratch database and compared"
    )
    problem = models.TextField(blank=True, help_text="what is wrong with it")
    copied_at = models.DateTimeField(null=True, blank=True, help_text="copied to the S3 store")
    copy_error = models.TextField(blank=True, help_text="why it is not in the S3 store yet")
    run = models.ForeignKey(Run, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = BackupQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-made_at",)
        constraints = [
            models.CheckConstraint(
                name="backup_has_a_size", condition=Q(size_bytes__gt=0, took_s__gte=0)
            ),
            models.CheckConstraint(
                name="backup_problem_says_what_is_bad",
                condition=~Q(state=BackupState.BAD) | ~Q(problem=""),
            ),
        ]
        indexes = [
            # complaining, metrics, keeping: the last good one
            models.Index(fields=["state", "-made_at"], name="backup_newest_by_state"),
        ]

    def __str__(self) -> str:
        return self.file

    @property
    def rows(self) -> int:
        """How many rows of all tables it holds."""
        return sum(self.counts.values())


class PoolSample(models.Model):
    """The statistics of one process's pool over ``grain_s`` seconds.

    Columns have the names of ``PoolStatistics.figures``; of coarser rows they are the largest
    values, so that a peak stays visible. Totals count since the process started.
    """

    second = models.BigIntegerField(help_text="first second, since 1970-01-01T00:00Z")
    grain_s = models.PositiveSmallIntegerField(choices=Grain, default=Grain.SECOND)
    process = models.CharField(max_length=120)
    role = models.CharField(max_length=10)
    alias = models.CharField(max_length=30)
    max_size = models.PositiveIntegerField(default=0)
    size = models.PositiveIntegerField(default=0)
    in_use = models.PositiveIntegerField(default=0)
    idle = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    writers_waiting = models.PositiveIntegerField(default=0)
    wait_p50_seconds = models.FloatField(default=0)
    wait_p95_seconds = models.FloatField(default=0)
    wait_p99_seconds = models.FloatField(default=0)
    use_p50_seconds = models.FloatField(default=0)
    use_p95_seconds = models.FloatField(default=0)
    use_p99_seconds = models.FloatField(default=0)
    write_p95_seconds = models.FloatField(default=0)
    write_wait_p95_seconds = models.FloatField(default=0)
    used_total = models.PositiveBigIntegerField(default=0)
    errors_connect_total = models.PositiveBigIntegerField(default=0)
    errors_timeout_total = models.PositiveBigIntegerField(default=0)
    errors_deadlock_total = models.PositiveBigIntegerField(default=0)
    errors_busy_total = models.PositiveBigIntegerField(default=0)
    errors_full_total = models.PositiveBigIntegerField(default=0)
    errors_io_total = models.PositiveBigIntegerField(default=0)
    errors_corrupt_total = models.PositiveBigIntegerField(default=0)
    findings = models.JSONField(
        default=list, blank=True, help_text="what the diagnosis found; only of 1 s rows"
    )

    objects = PoolSampleQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-second",)
        constraints = [
            # thinning that is tried again adds nothing twice; also the index that charts use
            models.UniqueConstraint(
                fields=["grain_s", "second", "process", "alias"], name="pool_sample_once"
            ),
            models.CheckConstraint(
                name="pool_sample_on_its_grid",
                condition=Exact(F("second") % F("grain_s"), 0),
            ),
        ]
        indexes = [
            # complaining, the live page: the last few seconds of all processes
            models.Index(fields=["second"], name="pool_sample_second"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.alias} {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def at(self) -> datetime:
        """The first moment that the row stands for."""
        return datetime.fromtimestamp(self.second, tz=UTC)
