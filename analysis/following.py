"""What those who follow a job or a batch see: the events of its run, under the names of analysis.

There is one history, that of the run, which its jobs share: an event's number is its number there.
A job that leaves shared work has its own last event in that history.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from django.utils import timezone

from analysis import batches, jobs, progressing
from analysis.models import Batch, Job
from project.core.callers import SYSTEM, Caller
from project.core.choices import FINAL_EVENT, RunStatus
from project.core.errors import ForbiddenError
from project.core.events import UPDATE
from project.core.following import View
from project.core.hub import Feed, Frame, Opened, Subscription
from project.core.moments import stamp, stamp_or_none

READ: Final = "analysis:read"
_FINAL_NAMES: Final = frozenset(FINAL_EVENT.values())


class NotAllowedError(ForbiddenError):
    """The key doesn't open this."""

    title = "Not allowed"


def require(caller: Caller, scope: str) -> None:
    """Refuse a key without ``scope``.

    Raises:
        NotAllowedError: the caller's key lacks it.
    """
    if not caller.may(scope):
        raise NotAllowedError(f"this needs the scope {scope}")


def open_job(job_id: uuid.UUID, caller: Caller, since: int) -> "JobView":
    """Return the view of a job after event ``since``.

    Raises:
        NotAllowedError: the caller's key may not read.
        JobNotFoundError: no such job, or a stranger's.
    """
    require(caller, READ)
    return JobView(jobs.find(job_id, by=caller), since)


def open_batch(batch_id: uuid.UUID, caller: Caller, since: int) -> "BatchView":
    """Return the view of a batch after event ``since``.

    Raises:
        NotAllowedError: the caller's key may not read.
        BatchNotFoundError: no such batch, or a stranger's.
    """
    require(caller, READ)
    return BatchView(batches.find(batch_id, by=caller), since)


def final_data(name: str, ident: uuid.UUID, status: str) -> dict[str, Any]:
    """Return what the last event says; ``name`` is ``job_id`` or ``batch_id``."""
    data: dict[str, Any] = {name: str(ident), "status": status}
    if status in (RunStatus.DONE, RunStatus.PARTIAL):
        data["progress"] = 100
    return data


class _Renamed(View):
    """A view of one run, or of none where the end is all that is known."""

    name = ""

    def __init__(self, ident: uuid.UUID, run_id: uuid.UUID | None, since: int) -> None:
        super().__init__({run_id or ident: since}, caller=SYSTEM)
        self.ident: Final = ident
        self.run_id: Final = run_id
        self.since: Final = since

    def ended(self) -> dict[str, Any]:
        """Return the data of the last event, of what ended without a run."""
        raise NotImplementedError

    def follow(self) -> AbstractAsyncContextManager[Subscription]:
        """Subscribe to the run; without one the end is the whole history."""
        return super().follow() if self.run_id is not None else self._only_the_end()

    @asynccontextmanager
    async def _only_the_end(self) -> AsyncIterator[Subscription]:
        data = self.ended()
        last = Frame(self.ident, 1, FINAL_EVENT[data["status"]], data)
        frames = [] if self.since else [last]
        feed = Feed(self.ident, base=1, last=1, status=data["status"])
        opened = Opened(self.ident, data["status"], 1, frames)
        yield Subscription([feed], [opened], {self.ident: min(1, self.since)})

    def heartbeat(self, subscription: Subscription) -> dict[str, Any]:
        """Return what a heartbeat says."""
        status = subscription.feeds[0].status
        return {self.name: str(self.ident), "status": status, "ts": stamp(timezone.now())}


class JobView(_Renamed):
    """A job."""

    name = "job_id"

    def __init__(self, job: Job, since: int) -> None:
        super().__init__(job.pk, job.run_id, since)
        self.job: Final = job

    @property
    def is_read(self) -> bool:
        """Whether the client has the event that ended the job."""
        end = self.job.end_seq
        return end is not None and self.since >= end

    def ended(self) -> dict[str, Any]:
        """Return the last event of a job whose result was there, or whose run is forgotten."""
        data = final_data(self.name, self.ident, self.job.status)
        if self.job.status == RunStatus.FAILED:
            data["error"] = {"type": self.job.error_type, "message": self.job.error_message}
        return data

    def is_last(self, frame: Frame) -> bool:
        """Say whether ``frame`` ended this job, though the work may go on for others."""
        return frame.event == jobs.LEFT and frame.data["job_id"] == str(self.ident)

    def shown(self, frame: Frame) -> Frame | None:
        """Return an event of the shared work as this job's."""
        if self.run_id is None:
            return frame
        if self.is_last(frame):
            data = final_data(self.name, self.ident, RunStatus.CANCELED)
            return Frame(frame.run_id, frame.seq, "canceled", data)
        if frame.event == UPDATE:
            return self._phase_update(frame)
        if frame.event in _FINAL_NAMES:
            data = final_data(self.name, self.ident, frame.data["status"])
            if "error" in frame.data:
                data["error"] = frame.data["error"]
            return Frame(frame.run_id, frame.seq, frame.event, data)
        if frame.event == "partial_locations":
            return self._named(frame)
        return None

    def _phase_update(self, frame: Frame) -> Frame | None:
        if not frame.data["phase"]:
            return None  # it waits: no phase has begun
        kept = {name: frame.data[name] for name in ("phase", "progress", "ts")}
        data = {self.name: str(self.ident), **kept}
        if waiting := progressing.waiting(frame.data["counts"]):
            data["waiting"] = waiting
        return Frame(frame.run_id, frame.seq, "phase_update", data)

    def _named(self, frame: Frame) -> Frame:
        data = {self.name: str(self.ident), **frame.data}
        return Frame(frame.run_id, frame.seq, frame.event, data)


class BatchView(_Renamed):
    """A batch."""

    name = "batch_id"

    def __init__(self, batch: Batch, since: int) -> None:
        super().__init__(batch.pk, batch.run_id, since)
        self.batch: Final = batch

    def ended(self) -> dict[str, Any]:
        """Return the last event of a batch whose run is forgotten."""
        return final_data(self.name, self.ident, self.batch.final_status or RunStatus.DONE)

    def shown(self, frame: Frame) -> Frame | None:
        """Return an event of the batch's run as the batch's."""
        counts = frame.data.get("counts", {})
        if frame.event in _FINAL_NAMES:
            data = final_data(self.name, self.ident, frame.data["status"])
            return Frame(frame.run_id, frame.seq, frame.event, {**data, "counts": counts})
        if frame.event != UPDATE or not counts:
            return None
        data = {
            self.name: str(self.ident),
            "status": status_of(counts),
            "progress": frame.data["progress"],
            "counts": counts,
            "ts": frame.data["ts"],
        }
        return Frame(frame.run_id, frame.seq, "batch_update", data)

    def heartbeat(self, subscription: Subscription) -> dict[str, Any]:
        """Return what a heartbeat says: a batch works from its first job on."""
        return {**super().heartbeat(subscription), "status": RunStatus.RUNNING}


def status_of(counts: dict[str, int]) -> str:
    """Return the status of a batch that has not ended."""
    is_begun = counts.get("running") or counts.get("queued", 0) < counts.get("total", 0)
    return RunStatus.RUNNING if is_begun else RunStatus.QUEUED


def batch_state(batch: Batch) -> dict[str, Any]:
    """Return a batch as the API shows it, without its jobs."""
    run = batch.run
    counts = batches.counts_of(batch)
    progress = run.progress if run is not None and not batch.final_status else 100.0
    updated_at = batch.ended_at or (run.heartbeat_at if run else None) or batch.created_at
    return {
        "batch_id": str(batch.pk),
        "status": batch.final_status or status_of(counts),
        "progress": round(progress, 2),
        "counts": counts,
        "created_at": stamp_or_none(batch.created_at),
        "updated_at": stamp_or_none(updated_at),
        "ended_at": stamp_or_none(batch.ended_at),
    }
