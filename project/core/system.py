"""What ``/api/system/tasks`` tells: processes alive and the state of every periodic job."""

from datetime import datetime
from typing import Any

from project.core import jobs, processes
from project.core.choices import Role
from project.core.jobs import JobState
from project.core.models import ProcessHeartbeat
from project.core.moments import stamp, stamp_or_none


def overview(*, now: datetime) -> dict[str, Any]:
    """Return the heartbeats by role and the periodic jobs, as plain JSON."""
    beats = ProcessHeartbeat.objects.order_by("role", "-beat_at")
    return {
        "timestamp": stamp(now),
        "processes": {role: _role(role, beats, now) for role in Role.values},
        "tasks": [_task(state) for state in jobs.states(now=now)],
    }


def _role(role: str, beats: Any, now: datetime) -> dict[str, Any]:
    found = [beat for beat in beats if beat.role == role]
    alive = [beat for beat in found if now - beat.beat_at <= processes.SILENT_AFTER]
    return {
        "alive": len(alive),
        "heartbeat_at": stamp_or_none(found[0].beat_at if found else None),
        "heartbeat_age_seconds": (now - found[0].beat_at).total_seconds() if found else None,
        "restarts": sum(beat.restarts for beat in alive),
        "names": [beat.name for beat in alive],
    }


def _task(state: JobState) -> dict[str, Any]:
    run, totals = state.last_run, state.totals
    ended = totals.done + totals.failed + totals.canceled if totals else 0
    return {
        "name": state.job.name,
        "task": state.job.task,
        "enabled": state.job.enabled,
        "schedule": state.schedule,
        "last_run_id": str(run.pk) if run else None,
        "last_status": str(run.status) if run else None,
        "created_at": stamp_or_none(run.created_at if run else None),
        "started_at": stamp_or_none(run.started_at if run else None),
        "ended_at": stamp_or_none(run.ended_at if run else None),
        "duration_seconds": run.duration_s if run else None,
        "average_seconds": totals.total_s / ended if totals and ended else None,
        "success_count": totals.done if totals else 0,
        "failure_count": totals.failed if totals else 0,
        "restarts": totals.restarts if totals else 0,
        "last_error": _error(totals),
        "next_due_at": stamp_or_none(state.next_due_at),
        "is_late": state.is_late,
    }


def _error(totals: Any) -> dict[str, Any] | None:
    if totals is None or not totals.last_error_type:
        return None
    return {
        "type": totals.last_error_type,
        "message": totals.last_error_message,
        "at": stamp_or_none(totals.last_error_at),
    }
