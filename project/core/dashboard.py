"""What the admin's front page shows: issues, key figures, periodic jobs, runs at work."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from project.core import (
    badges,
    display,
    figures,
    halting,
    health,
    issues,
    jobs,
    kinds,
    live,
    processes,
    switches,
    touring,
    trends,
    version,
)
from project.core.badges import Badge
from project.core.choices import UNENDED, Role, RunStatus
from project.core.figures import Figure
from project.core.issues import AMBER, Issue
from project.core.jobs import JobState
from project.core.models import Halt, ProcessHeartbeat, Run

RECENT: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class JobRow:
    """One periodic job as the dashboard shows it."""

    state: JobState
    schedule: str
    took: str


@dataclass(frozen=True, slots=True)
class RoleRow:
    """The processes of one role, and whether any is alive."""

    role: str
    label: str
    alive: int
    beat_at: datetime | None
    restarts: int
    version: str


@issues.register
def late_jobs(now: datetime) -> list[Issue]:
    """Tell of the periodic jobs that should have run and did not."""
    late = [job.name for job in jobs.late(now=now)]
    if not late:
        return []
    text = f"{late[0]} is late" if len(late) == 1 else f"{len(late)} periodic jobs are late"
    text = f"{text}. {jobs.advice(now=now)}"
    url = reverse("admin:django_celery_beat_periodictask_changelist")
    return [Issue("job_late", AMBER, text, action="See the jobs", url=url)]


@issues.register
def switched_off(now: datetime) -> list[Issue]:
    """Tell what staff have switched off."""
    url = reverse("admin:core_halt_changelist")
    # /api/health tells issues to anybody: who and why is for staff, on the badge
    return [
        Issue("switched_off", AMBER, f"{_label(halt)} is stopped {_when(halt)}", "Switches", url)
        for halt in halting.off()
    ]


@badges.register
def stopped(now: datetime) -> list[Badge]:
    """Show on every page what is switched off."""
    url = reverse("admin:core_halt_changelist")
    return [Badge(_said(halt), _since(halt), url) for halt in halting.off()]


def _label(halt: Halt) -> str:
    known = switches.known().get(halt.switch)
    return known.label if known else halt.switch


def _said(halt: Halt) -> str:
    known = switches.known().get(halt.switch)
    return known.said if known else f"{halt.switch} stopped"


def _since(halt: Halt) -> str:
    who = f" by {halt.by}" if halt.by else ""
    return f"{_when(halt)}{who}" + (f": {halt.why}" if halt.why else "")


def _when(halt: Halt) -> str:
    return f"since {halt.since:%Y-%m-%d %H:%M} UTC"


@figures.register
def runs_in_short(now: datetime) -> list[Figure]:
    """Tell how many runs work, and how those of the last day ended."""
    found = Run.objects.filter(Q(created_at__gte=now - RECENT) | Q(status__in=UNENDED)).aggregate(
        running=Count("pk", filter=Q(status=RunStatus.RUNNING)),
        queued=Count("pk", filter=Q(status=RunStatus.QUEUED)),
        done=Count("pk", filter=Q(status=RunStatus.DONE)),
        partial=Count("pk", filter=Q(status=RunStatus.PARTIAL)),
        failed=Count("pk", filter=Q(status=RunStatus.FAILED)),
    )
    runs_url = reverse("admin:core_run_changelist")
    hint = f"{found['done']:,} done · {found['partial']:,} partial"
    return [
        Figure(
            "runs_running",
            "Runs at work",
            f"{found['running']:,}",
            f"{found['queued']:,} waiting",
            f"{runs_url}?status__exact=running&status__exact=queued",
        ),
        Figure(
            "runs_failed",
            "Failed in 24 h",
            f"{found['failed']:,}",
            hint,
            f"{runs_url}?status__exact=failed",
            tone="bad" if found["failed"] else "good",
        ),
    ]


def context(request: HttpRequest, found: dict[str, Any]) -> dict[str, Any]:
    """Add what the dashboard shows to the template's context; unfold calls it.

    Issues and figures, which ask every app, come a moment later by ``ws/live/`` or ``board``.
    """
    now = timezone.now()
    return found | {
        "title": "Dashboard",
        "board": {"runs": _runs(), "kinds": _labels()},
        "jobs": [_job_row(state) for state in sorted(jobs.states(now=now), key=_urgency)],
        "roles": _roles(now),
        "version": version.label(),
        **_tour(request),
    }


def _tour(request: HttpRequest) -> dict[str, int]:
    """Return how much of the look around is left, where it is offered."""
    if not touring.is_offered():
        return {}
    seen = len(touring.seen(request))
    return {"tour_seen": seen, "tour_left": len(touring.steps()) - seen}


def board(*, now: datetime) -> dict[str, Any]:
    """Return what ``ws/live/`` sends first: for browsers whose websockets don't get through."""
    return {
        "runs": _runs(),
        "issues": [issue.as_dict() for issue in health.all_issues(now=now)],
        "figures": [figure.as_dict() for figure in trends.current(now=now)],
    }


def _runs() -> list[dict[str, Any]]:
    return [live.run_row(run) for run in live.recent_runs()]


def _labels() -> dict[str, str]:
    return {kind.name: kind.label for kind in kinds.known().values()}


def _urgency(state: JobState) -> tuple[bool, bool, str]:
    """Sort late jobs first and paused ones last."""
    return (not state.is_late, not state.job.enabled, state.job.name)


def _job_row(state: JobState) -> JobRow:
    run = state.last_run
    return JobRow(
        state=state,
        schedule=display.schedule(state.job),
        took=display.duration(run.duration_s) if run else "",
    )


def _roles(now: datetime) -> list[RoleRow]:
    beats = list(ProcessHeartbeat.objects.order_by("-beat_at"))
    return [_role(role, [beat for beat in beats if beat.role == role], now) for role in Role]


def _role(role: Role, beats: list[ProcessHeartbeat], now: datetime) -> RoleRow:
    alive = [beat for beat in beats if now - beat.beat_at <= processes.SILENT_AFTER]
    return RoleRow(
        role=role.value,
        label=str(role.label),
        alive=len(alive),
        beat_at=beats[0].beat_at if beats else None,
        restarts=sum(beat.restarts for beat in alive),
        version=beats[0].version if beats else "",
    )
