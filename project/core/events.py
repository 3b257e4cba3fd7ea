"""The durable history of runs: every change is an event, numbered within its run."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet

from project.core import announcing, totals
from project.core.choices import FINAL, FINAL_EVENT, RunStatus
from project.core.models import Run, RunEvent
from project.core.moments import stamp, stamp_or_none

UPDATE: Final = "run_update"
#: Events that stay when a run's history is thinned: its phases and its end.
KEPT_FOR_LONG: Final = (*sorted(set(FINAL_EVENT.values())), "phase_update")
THIN_AFTER: Final = timedelta(days=7)
FORGET_AFTER: Final = timedelta(days=90)
BATCH: Final = 1_000
#: Told of a run that has just ended, within the transaction that ends it.
Ended = Callable[[Run, datetime], None]
_when_ended: dict[str, Ended] = {}


def when_ended(kind: str, told: Ended) -> None:
    """Let ``told`` know of each run of ``kind`` that ends, however it ends.

    It is called within the transaction that ends the run, with the moment: what it writes is
    there together with the run's last event. It must be quick, and what it raises is a bug.
    """
    _when_ended[kind] = told


def state_of(run: Run, *, ts: datetime) -> dict[str, Any]:
    """Return the data of a ``run_update`` event: what everybody who watches ``run`` shows."""
    return {
        "run_id": str(run.pk),
        "status": str(run.status),
        "phase": run.phase,
        "progress": round(run.progress, 2),
        "counts": run.counts,
        "attempt": run.attempt,
        "next_try_at": stamp_or_none(run.next_try_at),
        "ts": stamp(ts),
    }


def final_state_of(run: Run, *, ts: datetime) -> dict[str, Any]:
    """Return the data of the event that ends the history of ``run``."""
    data = state_of(run, ts=ts)
    if run.status == RunStatus.FAILED:
        data["error"] = {"type": run.error_type, "message": run.error_message}
    return data


def record(
    run: Run, *, where: Mapping[str, Any], changes: Mapping[str, Any], now: datetime
) -> bool:
    """Change a run and write the event that says so, together or not at all.

    A change to a final status is also counted in the totals of its kind.

    Args:
        run: the run; its attributes are brought up to date when the change happens.
        where: what must still hold of the row, e.g. ``{"attempt": 2, "status": "running"}``.
        changes: fields and their new values.
        now: the moment of the event, UTC.

    Returns:
        False, with nothing changed, when ``where`` no longer holds: somebody else was faster.
    """
    with transaction.atomic():
        if not _change(run, where=where, changes=changes):
            return False
        final = run.status in FINAL
        name = FINAL_EVENT[run.status] if final else UPDATE
        _write(run, name, (final_state_of if final else state_of)(run, ts=now), now)
        if final:
            totals.add(run)
            if told := _when_ended.get(run.kind):
                told(run, now)
            _announce(run, now)
    return True


def _announce(run: Run, now: datetime) -> None:
    """Tell whoever asked for the run that it ended; the system's own runs are told nobody."""
    if run.requested_by_id is not None:
        data = {"kind": run.kind, "subject": run.subject, **final_state_of(run, ts=now)}
        announcing.announce(announcing.RUN_FINISHED, data, now=now, user_id=run.requested_by_id)


def append(
    run: Run,
    event: str,
    data: Mapping[str, Any],
    *,
    where: Mapping[str, Any],
    now: datetime,
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> bool:
    """Write an event of an app's own, e.g. ``partial_locations``, with ``changes`` of the run.

    Returns:
        False, with nothing written, when ``where`` no longer holds of the run.
    """
    with transaction.atomic():
        if not _change(run, where=where, changes=changes):
            return False
        _write(run, event, data, now)
    return True


def _change(run: Run, *, where: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    """Update the row, which numbers the next event and locks the run until the commit."""
    row = Run.objects.filter(pk=run.pk)
    if not row.filter(**where).update(event_seq=F("event_seq") + 1, **changes):
        return False
    run.event_seq = row.values_list("event_seq", flat=True).get()
    for name, value in changes.items():
        setattr(run, name, value)
    return True


def _write(run: Run, event: str, data: Mapping[str, Any], now: datetime) -> None:
    RunEvent.objects.create(
        run=run, seq=run.event_seq, event=event, data=dict(data), created_at=now
    )


def first(run: Run, *, now: datetime) -> RunEvent:
    """Return the unsaved first event of a run that is about to be created."""
    run.event_seq = 1
    return RunEvent(run=run, seq=1, event=UPDATE, data=state_of(run, ts=now), created_at=now)


def thin(*, now: datetime) -> dict[str, int]:
    """Drop what is too old: details of runs after a week, ended runs after ninety days.

    Works in batches of ``BATCH`` rows, so that no other writer waits long.

    Returns:
        How many events and runs went.
    """
    details = RunEvent.objects.filter(created_at__lt=now - THIN_AFTER, run__status__in=FINAL)
    details = details.exclude(event__in=KEPT_FOR_LONG).exclude(seq=1)
    old = Run.objects.ended().filter(ended_at__lt=now - FORGET_AFTER)
    return {"events": delete_all(details), "runs": delete_all(old)}


def delete_all(rows: QuerySet[Any]) -> int:
    """Delete ``rows``, ``BATCH`` at a time, so that no other writer waits long; return how many."""
    gone = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        rows.model._base_manager.filter(pk__in=keys).delete()  # noqa: SLF001 -- documented
        gone += len(keys)
    return gone
