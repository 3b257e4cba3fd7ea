"""The state of the periodic jobs: last and next run, late or not, and running one now."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import Max
from django_celery_beat.models import PeriodicTask

from project.core import beat, halting, processes
from project.core.callers import Caller
from project.core.choices import Role
from project.core.errors import ConflictError
from project.core.kinds import known
from project.core.models import ProcessHeartbeat, Run, TaskTotals
from project.core.runs import submit

#: A job is late when it is overdue by more than this, and more than a tenth of its period.
LATE_AFTER: Final = timedelta(seconds=30)


class NotARunError(ConflictError):
    """The job sends a task that is no kind of run."""

    code = "not_a_run"
    title = "This job can't be run by hand"


@dataclass(frozen=True, slots=True)
class JobState:
    """One periodic job as dashboards and ``/api/system/tasks`` show it."""

    job: PeriodicTask
    last_run: Run | None
    totals: TaskTotals | None
    next_due_at: datetime | None
    is_late: bool

    @property
    def title(self) -> str:
        """Its name for people: of a job that is named for programs, what its kind is called."""
        kind = None if " " in self.job.name else known().get(self.job.task)
        return kind.label if kind else str(self.job.name)

    @property
    def schedule(self) -> str:
        """The schedule in words."""
        found = self.job.interval or self.job.crontab or self.job.solar or self.job.clocked
        return str(found) if found else "never"


def _next_due(job: PeriodicTask) -> datetime | None:
    """Return when the job is next due; in the past while it is overdue."""
    if not job.enabled:
        return None
    last = job.last_run_at or job.date_changed
    schedule = job.schedule
    left: timedelta = schedule.remaining_estimate(last)
    # Celery measures from its own clock
    due: datetime = schedule.maybe_make_aware(schedule.now()) + left
    return due.astimezone(UTC)


def _all() -> list[PeriodicTask]:
    related = ("interval", "crontab", "solar", "clocked")
    return list(PeriodicTask.objects.select_related(*related).order_by("name"))


def late(*, now: datetime) -> list[PeriodicTask]:
    """Return the jobs that should have run and did not, by name, in one query."""
    return [job for job in _all() if _state(job, None, None, now).is_late]


def advice(*, now: datetime) -> str:
    """Return what to do about jobs that are late, in a sentence; one query."""
    roles = ProcessHeartbeat.objects.alive(since=now - processes.SILENT_AFTER)
    alive = set(roles.values_list("role", flat=True))
    if Role.BEAT not in alive:
        return "No beat is alive: start one, and it catches up what was missed."
    if Role.WORKER not in alive:
        return "No worker is alive: start one, and it does what waits."
    return "A beat is alive: run the job now, or pause and resume it; the beat's log says more."


def states(*, now: datetime) -> list[JobState]:
    """Return all periodic jobs by name, in four queries whatever their number."""
    jobs = _all()
    totals = {row.kind: row for row in TaskTotals.objects.all()}
    last_runs = _last_runs([job.name for job in jobs])
    return [_state(job, last_runs.get(job.name), totals.get(job.task), now) for job in jobs]


def _state(
    job: PeriodicTask, last_run: Run | None, totals: TaskTotals | None, now: datetime
) -> JobState:
    due = _next_due(job)
    allowed = LATE_AFTER
    if job.interval is not None:
        allowed = max(allowed, job.interval.schedule.run_every / 10)
    is_late = due is not None and now - due > allowed
    return JobState(job=job, last_run=last_run, totals=totals, next_due_at=due, is_late=is_late)


def _last_runs(names: list[str]) -> dict[str, Run]:
    newest = (
        Run.objects.filter(schedule__in=names)
        .order_by()
        .values("schedule")
        .annotate(at=Max("created_at"))
    )
    moments: dict[str, Any] = {row["schedule"]: row["at"] for row in newest}
    runs = Run.objects.filter(schedule__in=names, created_at__in=list(moments.values()))
    return {run.schedule: run for run in runs if moments[run.schedule] == run.created_at}


def run_now(job: PeriodicTask, *, by: Caller, now: datetime) -> Run:
    """Ask for a run of ``job`` at once; it never collides with the scheduled one.

    Raises:
        NotARunError: the job's task is no kind of run.
        HaltedError: what it does is switched off.
        AlreadyRunningError: its last run is still at work; ``run_id`` names it.
    """
    if job.task not in known():
        raise NotARunError(f"{job.task} is not a kind of run")
    halting.require_going(job.task)
    return submit(beat.ask_for(job), by=by, now=now)
