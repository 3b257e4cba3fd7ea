"""What of the past is dropped, and when.

Failures, ended tasks, closed gaps and alerts, findings, and uploads that nobody stored.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from markets import errorlog, importing
from markets.choices import GapState, TaskStatus
from markets.models import Alert, BackfillTask, Finding, Gap
from project.core.working import Work

#: Completed tasks are of no use for longer; failed ones are kept for people to see.
COMPLETED_KEPT: Final = timedelta(days=30)
FAILED_KEPT: Final = timedelta(days=90)
GAPS_KEPT: Final = timedelta(days=180)
ALERTS_KEPT: Final = timedelta(days=180)
FINDINGS_KEPT: Final = timedelta(days=365)
_PORTION: Final = 1_000


def run(work: Work) -> None:
    """Do a run of ``markets.clean_up``."""
    now = timezone.now()
    counts = {"errors": errorlog.clean_up(now=now), "uploads": importing.sweep(now=now)}
    for name, rows in _old(now).items():
        counts[name] = _drop(rows, work)
        work.report(phase="dropping", counts=counts)


def _old(now: datetime) -> dict[str, Any]:
    tasks = BackfillTask.objects
    completed = tasks.filter(status=TaskStatus.COMPLETED, ended_at__lt=now - COMPLETED_KEPT)
    failed = tasks.filter(status=TaskStatus.FAILED, ended_at__lt=now - FAILED_KEPT)
    return {
        "tasks": completed | failed,
        "gaps": Gap.objects.filter(state=GapState.CLOSED, closed_at__lt=now - GAPS_KEPT),
        "alerts": Alert.objects.filter(closed_at__lt=now - ALERTS_KEPT),
        "findings": Finding.objects.unsettled().filter(last_seen_at__lt=now - FINDINGS_KEPT),
    }


def _drop(rows: Any, work: Work) -> int:
    """Delete rows in portions, so that nobody waits long for the database."""
    dropped = 0
    while keys := list(rows.values_list("pk", flat=True)[:_PORTION]):
        work.check()
        dropped += rows.model.objects.filter(pk__in=keys).delete()[0]
    return dropped
