"""Doing a run's work: progress, checkpoints, safe points, and how it ends.

A handler takes a ``Work`` and returns when it is done. What it raises decides the rest:
a TransientError is tried again with back-off, anything else ends the run as failed.
"""

import logging
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, NoReturn

import structlog
from django.db import OperationalError, close_old_connections
from django.utils import timezone

from project.core import claims, events, kinds, scrubbing, tracing
from project.core.choices import RunStatus
from project.core.claims import Claim, keeper
from project.core.errors import AppError, TransientError
from project.core.models import Run

logger = logging.getLogger(__name__)
#: First wait, growth and longest wait between two attempts, seconds; jittered by a quarter.
RETRY_BASE_S: Final = 5.0
RETRY_FACTOR: Final = 2.0
RETRY_MAX_S: Final = 600.0
#: Progress is written at most so often, seconds; a new phase and the end at once.
REPORT_EVERY_S: Final = 0.2


class StopWorkError(Exception):
    """The work must stop here; ``reason`` is a ``Claim.stop_reason``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PutOffError(StopWorkError):
    """The work waits for something else than a worker: it goes on in ``after_s`` seconds."""

    def __init__(self, after_s: float) -> None:
        super().__init__("put off")
        self.after_s = after_s


class Work:
    """What a handler sees of its run."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._written_s = 0.0
        self._is_partial = False
        self.run: Final = claim.run

    @property
    def payload(self) -> dict[str, Any]:
        """What was asked."""
        return dict(self.run.payload)

    @property
    def checkpoint(self) -> dict[str, Any]:
        """What earlier attempts have kept."""
        return dict(self.run.checkpoint)

    @property
    def fence(self) -> dict[str, Any]:
        """What must still hold of the run's row for this worker to write anywhere."""
        return self._claim.fence

    def check(self) -> None:
        """Stop here if the run was canceled, lost or took too long: call it at safe points.

        Raises:
            StopWorkError: leave at once; ``execute`` does the rest.
        """
        if self._claim.stop_reason:
            raise StopWorkError(self._claim.stop_reason)

    def report(
        self,
        *,
        phase: str | None = None,
        progress: float | None = None,
        counts: dict[str, Any] | None = None,
    ) -> None:
        """Tell how far the work is; also a safe point.

        Args:
            phase: a new phase, e.g. ``"fetching"``.
            progress: percent of the whole run; never goes back within one attempt.
            counts: merged into the run's counts, e.g. ``{"candles": 1000}``.

        Raises:
            StopWorkError: as ``check``.
        """
        self.check()
        changes: dict[str, Any] = {}
        if phase is not None and phase != self.run.phase:
            changes["phase"] = phase
        if progress is not None:
            changes["progress"] = max(self.run.progress, min(100.0, progress))
        if counts:
            changes["counts"] = {**self.run.counts, **counts}
        is_due = time.monotonic() - self._written_s >= REPORT_EVERY_S
        if "phase" in changes or is_due:
            self._write(changes)
        else:  # told with the next write, which comes at the latest with the end
            for name, value in changes.items():
                setattr(self.run, name, value)

    def keep(self, **values: Any) -> None:
        """Keep ``values`` for whoever goes on with this run; written at once.

        Raises:
            StopWorkError: the claim is lost.
        """
        checkpoint = {**self.run.checkpoint, **values}
        held = Run.objects.filter(pk=self.run.pk, **self.fence)
        if not held.update(checkpoint=checkpoint, counts=self.run.counts):
            raise StopWorkError("lost")
        self.run.checkpoint = checkpoint

    def event(
        self, name: str, data: dict[str, Any], *, counts: dict[str, Any] | None = None
    ) -> None:
        """Write an event of the app's own into the run's history; also a safe point.

        What was reported so far is written with it, so that nobody sees the event before.

        Args:
            name: e.g. ``"partial_locations"``.
            data: what it tells; a ``progress`` in it is the run's from then on.
            counts: merged into the run's counts.

        Raises:
            StopWorkError: as ``check``; the claim is lost.
        """
        self.check()
        progress = max(self.run.progress, float(data.get("progress", 0)))
        told = {**data, "progress": round(progress, 2)} if "progress" in data else data
        changes = {"progress": progress, "counts": {**self.run.counts, **(counts or {})}}
        now = timezone.now()
        if not events.append(self.run, name, told, where=self.fence, changes=changes, now=now):
            raise StopWorkError("lost")

    def put_off(self, *, after_s: float) -> NoReturn:
        """Leave the worker to others and go on in ``after_s`` seconds; it costs no attempt.

        Raises:
            PutOffError: let it pass.
        """
        raise PutOffError(after_s)

    def leave_partial(self, message: str) -> None:
        """End as ``partial`` when the handler returns: some of it could not be done."""
        self._is_partial = True
        self.run.error_type, self.run.error_message = "partial", message

    def _write(self, changes: dict[str, Any]) -> None:
        pending = {"progress": self.run.progress, "counts": self.run.counts, **changes}
        if not events.record(self.run, where=self.fence, changes=pending, now=timezone.now()):
            raise StopWorkError("lost")
        self._written_s = time.monotonic()

    def end(self) -> None:
        """Record that the work is done, or done in part."""
        status = RunStatus.PARTIAL if self._is_partial else RunStatus.DONE
        progress = self.run.progress if self._is_partial else 100.0
        error = (self.run.error_type, self.run.error_message) if self._is_partial else ("", "")
        finish(self._claim, status, progress=progress, error=error)


def execute(run_id: str, handler: Callable[[Work], None], *, kind: str) -> None:
    """Do the work of run ``run_id`` by ``handler``, and record how it goes.

    Does nothing where the run has ended or another worker has it: messages may come twice.
    """
    about = kinds.get(kind)
    close_old_connections()
    try:
        claim = claims.take(run_id, limit_s=about.limit_s, now=timezone.now())
    except (claims.EndedError, claims.ClaimedError):
        return
    run = claim.run
    context = {"run_id": str(run_id), "request_id": run.request_id, "kind": kind}
    if run.requested_by_id is not None:
        context["user_id"] = str(run.requested_by_id)
    with (
        structlog.contextvars.bound_contextvars(**context),
        tracing.task(f"run {kind}", run.trace, run__attempt=run.attempt),
    ):
        keeper.watch(claim)
        try:
            _attempt(claim, handler)
        finally:
            keeper.unwatch(claim)
            close_old_connections()


def _attempt(claim: Claim, handler: Callable[[Work], None]) -> None:
    work = Work(claim)
    try:
        work.check()
        handler(work)
        work.check()
        work.end()
    except PutOffError as put_off:
        requeue(claim, after_s=put_off.after_s, error=None)
    except StopWorkError as stop:
        _stopped(claim, stop.reason)
    except TransientError as error:
        _try_again_or_fail(claim, error)
    except OperationalError as error:  # the database was away, or too busy
        _try_again_or_fail(claim, TransientError(f"{type(error).__name__}: {error}"))
    except AppError as error:
        finish(claim, RunStatus.FAILED, error=(error.code, str(error)))
    except Exception as error:  # a bug ends its run with its name, never the worker
        logger.exception("run failed", extra={"kind": claim.run.kind})
        finish(claim, RunStatus.FAILED, error=(type(error).__name__, str(error)))


def _stopped(claim: Claim, reason: str) -> None:
    if reason == "canceled":
        finish(claim, RunStatus.CANCELED)
    elif reason == "stopping":
        requeue(claim, after_s=0.0, error=None)
    elif reason == "overrun":
        message = f"took longer than {claim.limit_s:g} s"
        _try_again_or_fail(claim, TransientError(message))
    # a lost claim is another worker's now: nothing may be written


def _try_again_or_fail(claim: Claim, error: TransientError) -> None:
    tries = claim.run.tries
    if tries >= kinds.get(claim.run.kind).max_attempts:
        message = f"{error} (after {tries} attempts)"
        finish(claim, RunStatus.FAILED, error=(error.code, message))
        return
    requeue(claim, after_s=backoff_s(tries, asked_s=error.retry_after_s), error=error)


def backoff_s(attempt: int, *, asked_s: float | None) -> float:
    """Return the seconds to wait after ``attempt`` failed; never less than the other side asked."""
    doublings = min(attempt - 1, 30)  # the longest wait is reached long before
    grown = min(RETRY_MAX_S, RETRY_BASE_S * RETRY_FACTOR**doublings)
    return max(asked_s or 0.0, grown * random.uniform(0.75, 1.25))  # noqa: S311 -- jitter


def requeue(claim: Claim, *, after_s: float, error: AppError | None) -> bool:
    """Put the run back, and the sweeper sends it when it is due; a canceled one ends instead.

    Without an error its worker just stops: that doesn't count as an attempt.
    """
    now = timezone.now()
    changes: dict[str, Any] = {
        "status": RunStatus.QUEUED,
        "claimed_until": None,
        "next_try_at": now + timedelta(seconds=after_s),
        "sent_at": None,
        "progress": claim.run.progress,
        "counts": claim.run.counts,
    }
    if error is None:
        changes["stops"] = claim.run.stops + 1
    else:
        changes |= {"error_type": error.code, "error_message": scrubbing.text(str(error))}
    unasked = {**claim.fence, "cancel_asked_at": None}
    return events.record(claim.run, where=unasked, changes=changes, now=now) or finish(
        claim, RunStatus.CANCELED
    )


def finish(
    claim: Claim,
    status: RunStatus,
    *,
    progress: float | None = None,
    error: tuple[str, str] = ("", ""),
) -> bool:
    """End the run; False, with nothing changed, when another worker has it by now."""
    now = timezone.now()
    changes: dict[str, Any] = {
        "status": status,
        "ended_at": now,
        "claimed_until": None,
        "next_try_at": None,
        "counts": claim.run.counts,
        "progress": claim.run.progress if progress is None else progress,
        "error_type": error[0][:100],
        "error_message": scrubbing.text(error[1]),
    }
    return events.record(claim.run, where=claim.fence, changes=changes, now=now)
