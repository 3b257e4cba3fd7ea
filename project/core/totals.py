"""What the runs of each kind have come to: kept when the runs themselves are forgotten."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from project.core.choices import RunStatus
from project.core.models import Run, TaskTotals

_COUNTED_AS = {
    RunStatus.DONE: "done",
    RunStatus.PARTIAL: "done",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELED: "canceled",
}


def add(run: Run) -> None:
    """Count a run that has just ended."""
    duration_s = run.duration_s or 0.0
    column = _COUNTED_AS[RunStatus(run.status)]
    changes: dict[str, Any] = {
        column: F(column) + 1,
        "restarts": F("restarts") + run.takeovers,
        "total_s": F("total_s") + duration_s,
        "last_started_at": run.started_at,
        "last_ended_at": run.ended_at,
        "last_duration_s": duration_s,
    }
    if run.status == RunStatus.FAILED:
        changes |= {
            "last_error_type": run.error_type,
            "last_error_message": run.error_message,
            "last_error_at": run.ended_at,
        }
    _row_of(run.kind)
    TaskTotals.objects.filter(kind=run.kind).update(**changes)


def _row_of(kind: str) -> None:
    if TaskTotals.objects.filter(kind=kind).exists():
        return
    try:
        with transaction.atomic():
            TaskTotals.objects.create(kind=kind)
    except IntegrityError:  # a rival made it
        return
