"""Who has a run: taking it, keeping it by heartbeat, losing it.

A claim has an end and a fencing token (the run's ``attempt``). Every later write of the
holder presents the token, so that a worker which overslept changes nothing any more.
"""

import logging
import os
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, connections, transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from project.core import events, halting, processes
from project.core.choices import FINAL, RunStatus
from project.core.errors import ConflictError
from project.core.models import Run

logger = logging.getLogger(__name__)
CLAIM_FOR: Final = timedelta(seconds=20)
RENEW_EVERY_S: Final = 5.0
LOOK_EVERY_S: Final = 0.5
#: A worker that ignores its limit for so long is beyond help and is restarted.
OVERRUN_GRACE_S: Final = 30.0


class ClaimedError(ConflictError):
    """Another worker has the run, or it is not due yet, or switched off."""

    code = "run_claimed"
    title = "Another worker has the run"


class EndedError(ConflictError):
    """The run has ended."""

    code = "run_ended"
    title = "The run has ended"


@dataclass(slots=True)
class Claim:
    """A worker's hold on a run, and what the keeper learned about it since.

    Attributes:
        run: the row as it was when taken; its ``attempt`` is the fencing token.
        limit_s: seconds this attempt may take.
        stop_reason: why the work must stop: ``canceled``, ``lost``, ``overrun``, ``stopping``.
    """

    run: Run
    limit_s: float
    began_s: float = field(default_factory=time.monotonic)
    stop_reason: str = ""

    @property
    def fence(self) -> dict[str, Any]:
        """What must still hold of the row for the holder to write."""
        attempt, status = self.held_as
        return {"attempt": attempt, "status": status}

    @property
    def held_as(self) -> tuple[int, str]:
        """Attempt and status of the row while the holder has it."""
        return self.run.attempt, RunStatus.RUNNING

    @property
    def over_s(self) -> float:
        """Seconds since the attempt's limit; negative before."""
        return time.monotonic() - self.began_s - self.limit_s


def take(run_id: str, *, limit_s: float, now: datetime) -> Claim:
    """Take a run that waits, for this process.

    A run whose worker died is queued again by the sweeper first: one place decides whether it
    is tried again, has failed, or was canceled meanwhile.

    Raises:
        EndedError: there is nothing left to do, or no such run.
        ClaimedError: another worker has it, it is not due yet, or its kind is switched off.
    """
    with transaction.atomic():
        found = Run.objects.filter(pk=run_id).values("attempt", "status").first()
        if found is None or found["status"] in FINAL:
            raise EndedError(f"run {run_id} has ended")
        run = Run(pk=run_id)
        changes = {
            "status": RunStatus.RUNNING,
            "attempt": found["attempt"] + 1,
            "claimed_until": now + CLAIM_FOR,
            "heartbeat_at": now,
            "started_at": Coalesce(F("started_at"), Value(now)),
            "next_try_at": None,
            "worker": processes.own_name(),
        }
        free = Run.objects.claimable(at=now).filter(pk=run_id, attempt=found["attempt"])
        if not halting.going(free).update(**changes):
            raise ClaimedError(f"another worker has run {run_id}")
        run.refresh_from_db()
        events.record(run, where={"attempt": run.attempt}, changes={}, now=now)
    return Claim(run=run, limit_s=limit_s)


class Keeper:
    """Renews the claims of this process and learns whether its runs are to stop."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._wake = threading.Event()
        self.is_stopping = False

    def watch(self, claim: Claim) -> None:
        """Keep ``claim`` until ``unwatch``."""
        with self._lock:
            if self._pid != os.getpid():  # threads don't survive a fork
                self._claims, self._thread, self._pid = {}, None, os.getpid()
                self.is_stopping = False
            self._claims[str(claim.run.pk)] = claim
            if self.is_stopping:
                claim.stop_reason = "stopping"
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)
                self._thread.start()

    def unwatch(self, claim: Claim) -> None:
        """Let ``claim`` go."""
        with self._lock:
            self._claims.pop(str(claim.run.pk), None)
            if not self._claims:
                self._wake.set()

    def held(self) -> int:
        """Return how many runs this process works on."""
        return len(self._claims)

    def stop_all(self) -> None:
        """Ask all work of this process to stop at its next safe point: the process ends."""
        self.is_stopping = True
        for claim in list(self._claims.values()):
            claim.stop_reason = claim.stop_reason or "stopping"

    def _keep(self) -> None:
        renewed_s = time.monotonic()
        while self._has_some():
            self._wake.wait(LOOK_EVERY_S)
            claims = list(self._claims.values())
            try:
                look(claims)
                if time.monotonic() - renewed_s >= RENEW_EVERY_S:
                    renewed_s = time.monotonic()
                    renew(claims, now=timezone.now())
            except DatabaseError as error:
                logger.warning("claims not renewed", extra={"why": repr(error)})
            except Exception:  # without this thread every claim of the process would be lost
                logger.exception("claims not renewed")
            finally:
                connections.close_all()  # others may have it while this one sleeps
            restart_if_overrun(claims)

    def _has_some(self) -> bool:
        """Say whether there are claims to keep; without, ``watch`` starts the next thread."""
        with self._lock:
            self._wake.clear()
            if not self._claims:
                self._thread = None
            return bool(self._claims)


def look(claims: list[Claim]) -> None:
    """Tell each claim whether its run was canceled, lost or took too long."""
    rows = Run.objects.filter(pk__in=[claim.run.pk for claim in claims])
    facts = rows.annotate(is_halted=halting.IS_HALTED).values(
        "pk", "attempt", "status", "cancel_asked_at", "is_halted"
    )
    found = {row["pk"]: row for row in facts}
    for claim in claims:
        row = found.get(claim.run.pk)
        if row is None or (row["attempt"], row["status"]) != claim.held_as:
            claim.stop_reason = claim.stop_reason or "lost"
        elif row["cancel_asked_at"] is not None:
            claim.stop_reason = claim.stop_reason or "canceled"
        elif claim.over_s > 0:
            claim.stop_reason = claim.stop_reason or "overrun"
        elif row["is_halted"]:  # back to the queue, as when its worker stops
            claim.stop_reason = claim.stop_reason or "stopping"


def renew(claims: list[Claim], *, now: datetime) -> None:
    """Move the end of each claim that still holds; an overrun one is left to run out."""
    for claim in claims:
        if claim.stop_reason == "lost" or claim.over_s > 0:
            continue
        row = Run.objects.filter(pk=claim.run.pk, **claim.fence)
        row.update(claimed_until=now + CLAIM_FOR, heartbeat_at=now)


def restart_if_overrun(claims: list[Claim]) -> None:
    """End this process when work ignores its limit: a thread can't be killed, a process can.

    Whatever else it was told: work that ignores a cancel would hold its thread for ever.
    """
    for claim in claims:
        if claim.over_s > OVERRUN_GRACE_S:
            extra = {"run_id": str(claim.run.pk), "kind": claim.run.kind, "limit_s": claim.limit_s}
            logger.error("work overran its limit, the worker restarts", extra=extra)
            os._exit(70)


keeper = Keeper()
