"""Asking for work, and what may be done to a run from outside: cancel, retry."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from project.core import events, kinds, queueing, requests, tracing
from project.core.callers import Caller
from project.core.choices import FINAL, RunStatus
from project.core.errors import ConflictError, NotFoundError
from project.core.models import Run, RunEvent


class AlreadyRunningError(ConflictError):
    """A run with the same exclusive key has not ended; ``run_id`` names it."""

    code = "already_running"
    title = "Already running"


class RunEndedError(ConflictError):
    """The run has ended: there is nothing left to cancel."""

    code = "run_ended"
    title = "The run has ended"


class RunNotEndedError(ConflictError):
    """The run still waits or works: there is nothing to retry yet."""

    code = "run_not_ended"
    title = "The run has not ended"


class RunNotFoundError(NotFoundError):
    """There is no such run, or the caller may not know of it."""

    title = "No such run"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for.

    Attributes:
        kind: name of a registered kind.
        subject: what it is about, for people, e.g. ``"binance:BTC/USDT 1m"``.
        about: the object it is about, as ``("app.model", primary key)``.
        payload: what the work needs to know; plain JSON.
        exclusive_key: at most one unended run has the same key; empty: no such limit.
        schedule: name of the periodic job that asks.
        retry_of: the run that this one tries again.
        not_before: no worker takes it earlier, unless somebody wakes it (``wake``).
    """

    kind: str
    subject: str = ""
    about: tuple[str, object] = ("", "")
    payload: dict[str, Any] = field(default_factory=dict)
    exclusive_key: str = ""
    schedule: str = ""
    retry_of: uuid.UUID | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Steering:
    """How people cancel and retry runs of a kind that mean something to its app."""

    cancel: Callable[..., Run]
    retry: Callable[..., Run]


_steerings: dict[str, Steering] = {}


def steer(kind: str, steering: Steering) -> None:
    """Let the app decide what cancelling and retrying a run of ``kind`` means.

    Both are called as ``cancel`` and ``retry`` here are; ``stop`` and ``again`` do the plain thing.
    """
    _steerings[kind] = steering


def submit(ask: Ask, *, by: Caller, now: datetime) -> Run:
    """Write down a queued run and wake a worker once the transaction is committed.

    Raises:
        KeyError: no app registered the kind.
        AlreadyRunningError: an unended run has the same exclusive key.
    """
    return submit_all([ask], by=by, now=now)[0]


def submit_all(asks: Sequence[Ask], *, by: Caller, now: datetime) -> list[Run]:
    """Write down many runs in a few statements, all or none; otherwise as ``submit``.

    Raises:
        KeyError: no app registered a kind.
        AlreadyRunningError: an unended run has one of the exclusive keys.
    """
    found = [_run_of(ask, by=by, now=now) for ask in asks]
    first = [events.first(run, now=now) for run in found]
    with transaction.atomic():
        _refuse_a_second(found)
        try:
            with transaction.atomic():
                Run.objects.bulk_create(found)
        except IntegrityError:
            _refuse_a_second(found)  # a rival was faster between look and insert
            raise
        RunEvent.objects.bulk_create(first)
        for run in found:
            _send(run)
    return found


def _run_of(ask: Ask, *, by: Caller, now: datetime) -> Run:
    kind = kinds.get(ask.kind)
    waits = ask.not_before is not None and ask.not_before > now
    return Run(
        kind=kind.name,
        subject=ask.subject[:200],
        subject_type=ask.about[0],
        subject_id=str(ask.about[1]),
        payload=ask.payload,
        exclusive_key=ask.exclusive_key or (kind.name if kind.alone else ""),
        schedule=ask.schedule,
        retry_of_id=ask.retry_of,
        requested_by_id=by.user_id,
        request_id=requests.current_id() or requests.new_id(),
        trace=tracing.carried(),
        created_at=now,
        sent_at=None if waits else now,
        next_try_at=ask.not_before if waits else None,
    )


def _send(run: Run) -> None:
    """Wake a worker once the transaction is committed; not for a run that waits."""
    if run.next_try_at is None:
        queueing.enqueue(run.kind, run_id=str(run.pk))


def wake(run: Run, *, now: datetime) -> bool:
    """Let a run that waits for a later moment begin now; False where it doesn't wait."""
    waits = Run.objects.filter(pk=run.pk, status=RunStatus.QUEUED, next_try_at__gt=now)
    with transaction.atomic():
        if not waits.update(next_try_at=now, sent_at=now):
            return False
        queueing.enqueue(run.kind, run_id=str(run.pk))
    return True


def _refuse_a_second(asked: Sequence[Run]) -> None:
    keys = [run.exclusive_key for run in asked if run.exclusive_key]
    if not keys:
        return
    other = Run.objects.unended().filter(exclusive_key__in=keys).first()
    if other is not None:
        raise AlreadyRunningError(f"run {other.pk} is still at it", run_id=str(other.pk))


def find(run_id: str | uuid.UUID, *, by: Caller) -> Run:
    """Return the run that ``by`` may know of.

    Raises:
        RunNotFoundError: no such run, or a stranger's.
    """
    try:
        return Run.objects.visible_to(by).get(pk=run_id)
    except (Run.DoesNotExist, ValidationError, ValueError) as error:
        raise RunNotFoundError(f"no run {run_id}") from error


def cancel(run: Run, *, by: Caller, now: datetime) -> Run:
    """Cancel a run as a person does: as its app says, else as ``stop`` does.

    Raises:
        RunEndedError: it ended before, otherwise than by cancelling.
    """
    steering = _steerings.get(run.kind)
    return (steering.cancel if steering else stop)(run, by=by, now=now)


def retry(run: Run, *, by: Caller, now: datetime) -> Run:
    """Ask for the same work again, as its app says, else as ``again`` does.

    Raises:
        RunNotEndedError: the run still waits or works.
        AlreadyRunningError: its exclusive key is taken.
    """
    if run.status not in FINAL:
        raise RunNotEndedError(f"the run is {run.status}", run_id=str(run.pk))
    steering = _steerings.get(run.kind)
    return (steering.retry if steering else again)(run, by=by, now=now)


def stop(run: Run, *, by: Caller, now: datetime) -> Run:
    """Stop a run: at once while it waits, at its next safe point while it works.

    Cancelling a canceled run again changes nothing.

    Raises:
        RunEndedError: it ended before, otherwise than by cancelling.
    """
    changes = {
        "status": RunStatus.CANCELED,
        "ended_at": now,
        "cancel_asked_at": now,
        "next_try_at": None,
    }
    while run.status not in FINAL:
        # a worker may take the run, or put it back, between one line and the next
        if events.record(run, where={"status": RunStatus.QUEUED}, changes=changes, now=now):
            return run
        asked = Run.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(cancel_asked_at=now)
        run.refresh_from_db()
        if asked:
            return run
    if run.status != RunStatus.CANCELED:
        raise RunEndedError(f"the run ended {run.status}", run_id=str(run.pk))
    return run


def again(run: Run, *, by: Caller, now: datetime) -> Run:
    """Ask for the same work again, as a run of its own.

    Raises:
        AlreadyRunningError: its exclusive key is taken.
    """
    ask = Ask(
        kind=run.kind,
        subject=run.subject,
        about=(run.subject_type, run.subject_id),
        payload=run.payload,
        exclusive_key=run.exclusive_key,
        retry_of=run.pk,
    )
    return submit(ask, by=by, now=now)
