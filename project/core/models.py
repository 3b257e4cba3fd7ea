"""What the shared floor remembers: runs, their events, processes and totals per task."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from project.core.choices import FINAL, UNENDED, Act, Channel, Role, RunStatus
from project.core.querysets import ProcessQuerySet, RunQuerySet


class Run(models.Model):
    """One execution of anything that takes time, from the request to its end."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60, help_text="app.verb, e.g. markets.collect")
    subject = models.CharField(max_length=200, blank=True, help_text="what it is about, for people")
    subject_type = models.CharField(max_length=60, blank=True, help_text="app.model")
    subject_id = models.CharField(max_length=60, blank=True)
    payload = models.JSONField(default=dict, blank=True, help_text="what the work was asked")
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.QUEUED)
    phase = models.CharField(max_length=60, blank=True)
    progress = models.FloatField(default=0, help_text="0 to 100")
    counts = models.JSONField(default=dict, blank=True)
    checkpoint = models.JSONField(
        default=dict, blank=True, help_text="what is already done, for the worker that goes on"
    )
    attempt = models.PositiveIntegerField(
        default=0, help_text="how often a worker took it; also the fencing token of its claim"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    request_id = models.CharField(max_length=64, blank=True)
    trace = models.CharField(
        max_length=64, blank=True, help_text="W3C traceparent of whatever asked for it"
    )
    schedule = models.CharField(
        max_length=200, blank=True, help_text="name of the periodic job that asked for it"
    )
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    exclusive_key = models.CharField(
        max_length=200,
        blank=True,
        help_text="at most one unended run may have the same key",
    )
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True, help_text="the process that has it")
    next_try_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="last given to the broker")
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    takeovers = models.PositiveIntegerField(default=0, help_text="workers that died while at it")
    stops = models.PositiveIntegerField(
        default=0, help_text="orderly stops of its worker: they don't count as attempts"
    )
    error_type = models.CharField(max_length=100, blank=True)
    error_message = models.TextField(blank=True)
    event_seq = models.PositiveBigIntegerField(default=0, help_text="number of its last event")

    objects = RunQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                name="run_ended_at_says_it_ended",
                condition=Q(status__in=FINAL, ended_at__isnull=False)
                | Q(status__in=UNENDED, ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="run_is_claimed_while_running",
                condition=Q(status=RunStatus.RUNNING, claimed_until__isnull=False)
                | (~Q(status=RunStatus.RUNNING) & Q(claimed_until__isnull=True)),
            ),
            models.CheckConstraint(
                name="run_progress_is_a_percentage",
                condition=Q(progress__gte=0, progress__lte=100),
            ),
            models.UniqueConstraint(
                fields=["exclusive_key"],
                condition=Q(status__in=UNENDED) & ~Q(exclusive_key=""),
                name="run_exclusive_key_once_unended",
            ),
        ]
        indexes = [
            # sweeping.sweep, dashboards: the few runs that wait or work
            models.Index(
                fields=["status", "created_at"],
                name="run_unended",
                condition=Q(status__in=UNENDED),
            ),
            # list pages by kind, newest first
            models.Index(fields=["kind", "-created_at"], name="run_kind_newest"),
            models.Index(fields=["-created_at", "id"], name="run_newest"),
            # visible_to: a user's own runs, newest first
            models.Index(fields=["requested_by", "-created_at"], name="run_owner_newest"),
            # an object's page: its runs
            models.Index(fields=["subject_type", "subject_id", "-created_at"], name="run_subject"),
            # periodic jobs: the last run of each
            models.Index(
                fields=["schedule", "-created_at"],
                name="run_schedule_newest",
                condition=~Q(schedule=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()

    @property
    def is_final(self) -> bool:
        """Whether the run has ended."""
        return self.status in FINAL

    @property
    def tries(self) -> int:
        """Attempts that count against the most that its kind allows."""
        return self.attempt - self.stops

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end, or until now while it works; None before the start."""
        if self.started_at is None:
            return None
        return ((self.ended_at or timezone.now()) - self.started_at).total_seconds()


class RunEvent(models.Model):
    """One entry of a run's durable history; ``seq`` counts from 1 within the run."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="events")
    seq = models.PositiveBigIntegerField()
    event = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Rules kept by the database."""

        ordering = ("run", "seq")
        constraints = [
            # also the index by which streams read on
            models.UniqueConstraint(fields=["run", "seq"], name="run_event_seq_once"),
        ]
        indexes = [
            # events.thin: the old ones
            models.Index(fields=["created_at"], name="run_event_age"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.event}"


class ProcessHeartbeat(models.Model):
    """The last sign of life of one process of the installation."""

    name = models.CharField(max_length=120, unique=True, help_text="host, process number, start")
    role = models.CharField(max_length=10, choices=Role)
    host = models.CharField(max_length=80)
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=60)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    restarts = models.PositiveIntegerField(default=0)

    objects = ProcessQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        indexes = [
            # health, /api/system/tasks: the living of a role
            models.Index(fields=["role", "-beat_at"], name="process_role_beat"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.name}"


class TaskTotals(models.Model):
    """What all runs of one kind have come to, kept when the runs themselves are gone."""

    kind = models.CharField(max_length=60, unique=True)
    done = models.PositiveBigIntegerField(default=0, help_text="ended done or partial")
    failed = models.PositiveBigIntegerField(default=0)
    canceled = models.PositiveBigIntegerField(default=0)
    restarts = models.PositiveBigIntegerField(default=0, help_text="taken over from a dead worker")
    total_s = models.FloatField(default=0, help_text="seconds spent in runs that ended")
    last_started_at = models.DateTimeField(null=True, blank=True)
    last_ended_at = models.DateTimeField(null=True, blank=True)
    last_duration_s = models.FloatField(null=True, blank=True)
    last_error_type = models.CharField(max_length=100, blank=True)
    last_error_message = models.TextField(blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Name for people."""

        verbose_name_plural = "task totals"

    def __str__(self) -> str:
        return self.kind


class Leadership(models.Model):
    """Which process leads where only one may: two beats would send everything twice."""

    name = models.CharField(max_length=60, unique=True)
    holder = models.CharField(max_length=120, blank=True)
    token = models.PositiveBigIntegerField(default=0)
    held_until = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class AuditEntry(models.Model):
    """What somebody did to an object, from which value to which; it outlives both."""

    at = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    user_name = models.CharField(max_length=254, blank=True, help_text="as it was then")
    act = models.CharField(max_length=10, choices=Act)
    model = models.CharField(max_length=60, blank=True, help_text="app.model")
    object_id = models.CharField(max_length=60, blank=True)
    object_name = models.CharField(max_length=200, blank=True)
    said = models.TextField(blank=True, help_text="what was done, in a sentence")
    changes = models.JSONField(
        default=list, blank=True, help_text="[{name, before, after}], secrets masked"
    )
    request_id = models.CharField(max_length=64, blank=True)
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.SYSTEM)
    address = models.GenericIPAddressField(null=True, blank=True, help_text="of the client")
    key_id = models.BigIntegerField(null=True, blank=True, help_text="the API key it was done with")

    class Meta:
        """Name for people, and the order of reading."""

        ordering = ("-at",)
        verbose_name = "audit entry"
        verbose_name_plural = "audit trail"
        indexes = [
            # the trail, newest first, and what the clean-up drops
            models.Index(fields=["-at"], name="audit_newest"),
            # auditing.about: an object's history
            models.Index(fields=["model", "object_id", "-at"], name="audit_object"),
            # the trail of one person
            models.Index(fields=["user", "-at"], name="audit_user"),
            # from a log line or a trace to what was done
            models.Index(fields=["request_id"], name="audit_request"),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()} {self.object_name or self.model}".strip()


class Halt(models.Model):
    """A kind of run that nobody works on until it is released, by whom and why."""

    kind = models.CharField(max_length=60, unique=True, help_text="app.verb, as runs name it")
    switch = models.CharField(max_length=40, help_text="the switch that halted it")
    since = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        """Name for people."""

        verbose_name = "switch"
        verbose_name_plural = "switches"

    def __str__(self) -> str:
        return f"{self.switch}: {self.kind}"


class SavedFilter(models.Model):
    """What a person set a list to show, under a name; theirs, or everybody's."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    page = models.CharField(max_length=60, editable=False, help_text="app.model of the list")
    name = models.CharField(max_length=60)
    query = models.TextField(
        editable=False, help_text="the address's query, without a question mark"
    )
    is_shared = models.BooleanField("shared", default=False, help_text="Everybody sees it.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Rules kept by the database."""

        ordering = ("name",)
        constraints = [
            # also the index by which lists find them
            models.UniqueConstraint(
                fields=["page", "owner", "name"], name="saved_filter_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FigureSample(models.Model):
    """A key figure of the dashboard as it was at a moment: what its trend is drawn from."""

    name = models.CharField(max_length=60)
    at = models.DateTimeField()
    amount = models.FloatField()

    class Meta:
        """Rules kept by the database."""

        constraints = [
            # also the index by which a figure's trend is read
            models.UniqueConstraint(fields=["name", "at"], name="figure_sample_once"),
        ]
        indexes = [
            # trends of all figures, and what is dropped
            models.Index(fields=["at"], name="figure_sample_age"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.amount:g}"
