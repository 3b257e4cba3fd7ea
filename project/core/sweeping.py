"""Finding work that fell through: messages lost, retries due, workers that died."""

import logging
import threading
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, connections
from django.db.models import Q
from django.utils import timezone

from project.core import events, halting, kinds, processes, queueing
from project.core.choices import RunStatus
from project.core.claims import keeper
from project.core.models import Run
from project.core.querysets import RunQuerySet

logger = logging.getLogger(__name__)
SWEEP_EVERY_S: Final = 1.0
#: A message not acted on for so long, while a worker is idle, is taken for lost.
RESEND_AFTER: Final = timedelta(seconds=10)
AT_ONCE: Final = 100


def sweep(*, idle: int, now: datetime) -> dict[str, int]:
    """Put right what fell through.

    Args:
        idle: how many more runs this worker could do now: so many lost messages are sent again.
        now: the moment, UTC.

    Returns:
        How many runs were taken from dead workers, and how many messages were sent.
    """
    freed = sum(free(run, now=now) for run in _without_worker(now))
    return {"freed": freed, "sent": _send_due(now) + _send_lost(idle, now)}


def _without_worker(now: datetime) -> list[Run]:
    """Return the running runs whose worker is gone, or has been silent for too long."""
    running = Run.objects.filter(status=RunStatus.RUNNING).order_by("claimed_until")
    found = running.values_list("pk", "worker", "claimed_until")[: AT_ONCE * 10]
    gone = [
        pk
        for pk, name, until in found
        if until is None or until <= now or processes.is_surely_dead(name)
    ]
    return list(Run.objects.filter(pk__in=gone[:AT_ONCE]))


def free(run: Run, *, now: datetime) -> bool:
    """Queue again, or end, a run whose worker died; False when a rival was faster."""
    # a claim that was renewed since is alive after all
    where = {
        "status": RunStatus.RUNNING,
        "attempt": run.attempt,
        "claimed_until": run.claimed_until,
    }
    reason = f"worker {run.worker} died in mid-work (attempt {run.attempt})"
    changes: dict[str, Any] = {
        "claimed_until": None,
        "takeovers": run.takeovers + 1,
        "error_type": "worker_died",
        "error_message": reason,
    }
    if run.cancel_asked_at is not None:
        changes |= {"status": RunStatus.CANCELED, "ended_at": now}
    elif run.tries >= _max_attempts(run.kind):
        changes |= {"status": RunStatus.FAILED, "ended_at": now}
    else:
        changes |= {"status": RunStatus.QUEUED, "next_try_at": now, "sent_at": None}
    freed = events.record(run, where=where, changes=changes, now=now)
    if freed:
        logger.warning(
            "worker died", extra={"run_id": str(run.pk), "kind": run.kind, "was": reason}
        )
    return freed


def _max_attempts(kind: str) -> int:
    found = kinds.known().get(kind)
    return found.max_attempts if found else 1


def _send_due(now: datetime) -> int:
    """Send the runs whose time to try again has come."""
    due = Run.objects.filter(status=RunStatus.QUEUED, next_try_at__lte=now)
    return _send(due.filter(sent_at__isnull=True), now, AT_ONCE)


def _send_lost(idle: int, now: datetime) -> int:
    """Send again what waits though this worker is idle: its message was lost."""
    if idle <= 0:
        return 0
    lost = Q(sent_at__isnull=True) | Q(sent_at__lt=now - RESEND_AFTER)
    return _send(Run.objects.claimable(at=now).filter(lost), now, idle)


def _send(found: RunQuerySet, now: datetime, limit: int) -> int:
    rows = halting.going(found).order_by("created_at").values_list("pk", "kind", "sent_at")[:limit]
    sent = 0
    for pk, kind, sent_at in rows:
        mine = Run.objects.filter(pk=pk, status=RunStatus.QUEUED, sent_at=sent_at)
        if sent_at is None:
            mine = Run.objects.filter(pk=pk, status=RunStatus.QUEUED, sent_at__isnull=True)
        if kind not in kinds.known() or not mine.update(sent_at=now):
            continue
        if not queueing.send(kind, run_id=str(pk)):
            break  # the broker is away: each further try would wait for its time-out
        sent += 1
    return sent


class Sweeper(threading.Thread):
    """Sweeps every ``SWEEP_EVERY_S`` seconds in each worker process."""

    def __init__(self, *, concurrency: int) -> None:
        super().__init__(name="sweeper", daemon=True)
        self.concurrency = concurrency
        self.stopped = threading.Event()

    def run(self) -> None:
        """Sweep until stopped; a database that is away is tried again."""
        while not self.stopped.wait(SWEEP_EVERY_S):
            try:
                sweep(idle=self.concurrency - keeper.held(), now=timezone.now())
            except DatabaseError as error:
                logger.warning("not swept", extra={"why": repr(error)})
            except Exception:  # a sweeper that died would leave lost work lost
                logger.exception("not swept")
            finally:
                connections.close_all()  # others may have it while this one sleeps
