"""Jobs: who asked for an analysis; batches: many asked for at once."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from analysis.models.results import Analysis
from analysis.querysets import BatchQuerySet, JobQuerySet
from project.core.choices import FINAL, RunStatus
from project.core.models import Run


class Batch(models.Model):
    """Many videos that were asked for at once; its run has its progress and events."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    run = models.OneToOneField(Run, models.SET_NULL, null=True, blank=True, related_name="+")
    total = models.PositiveIntegerField()
    final_status = models.CharField(max_length=10, choices=RunStatus, blank=True)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-created_at",)
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                name="batch_ended_at_says_it_ended",
                condition=Q(final_status="", ended_at__isnull=True)
                | Q(final_status__in=FINAL, ended_at__isnull=False),
            ),
        ]
        indexes = [
            # an owner's batches, newest first
            models.Index(fields=["owner", "-created_at"], name="batch_owner_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.total} videos"


class Job(models.Model):
    """One asker's hold on an analysis; several may share its run, each leaves for themselves."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    analysis = models.ForeignKey(Analysis, models.CASCADE, related_name="jobs")
    run = models.ForeignKey(
        Run,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="jobs",
        help_text="the work that it watches; none where the result was there already",
    )
    batch = models.ForeignKey(Batch, models.SET_NULL, null=True, blank=True, related_name="jobs")
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    cached = models.BooleanField(default=False, help_text="the result was there already")
    final_status = models.CharField(
        max_length=10, choices=RunStatus, blank=True, help_text="empty: its run says"
    )
    end_seq = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="number of its last event within its run"
    )
    progress = models.FloatField(default=0, help_text="when it ended; before, its run says")
    phase = models.CharField(max_length=60, blank=True, help_text="as progress")
    error_type = models.CharField(max_length=100, blank=True)
    error_message = models.TextField(blank=True)
    shrunk_by = models.IntegerField(
        null=True, blank=True, help_text="of a retry: by how many the list of failures has shrunk"
    )
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                name="job_ended_at_says_it_ended",
                condition=Q(final_status="", ended_at__isnull=True)
                | Q(final_status__in=FINAL, ended_at__isnull=False),
            ),
        ]
        indexes = [
            # an owner's jobs, newest first; also who may see a video
            models.Index(fields=["owner", "-created_at"], name="job_owner_newest"),
            models.Index(fields=["-created_at", "id"], name="job_newest"),
            # ending.of_run, quotas: the few that wait or work
            models.Index(fields=["run"], name="job_open", condition=Q(final_status="")),
        ]

    def __str__(self) -> str:
        return f"job {str(self.pk)[:8]}"

    @property
    def status(self) -> str:
        """Where it is: its own end, else what its run says."""
        if self.final_status:
            return self.final_status
        return self.run.status if self.run else RunStatus.QUEUED

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.final_status != ""
