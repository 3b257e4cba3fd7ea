"""What staff see without a reload: all runs, issues and key figures, as snapshot and changes.

One watcher per web process compares what it shows with the database twice a second and
sends the differences to all boards; with no board open it stops.
"""

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from django.db import DatabaseError
from django.utils import timezone

from project.core import health, trends
from project.core.hub import in_thread
from project.core.models import Run
from project.core.moments import stamp, stamp_or_none
from project.core.querysets import RunQuerySet

logger = logging.getLogger(__name__)
LOOK_EVERY_S: Final = 0.5
#: Issues and figures cost more than runs: every so many looks.
FIGURES_EVERY: Final = 4
MOST_UNENDED: Final = 100
MOST_ENDED: Final = 20
#: A board that has not read so many messages gets a fresh snapshot instead.
BACKLOG: Final = 200


def run_row(run: Run) -> dict[str, Any]:
    """Return what a list of runs shows of one."""
    return {
        "id": str(run.pk),
        "kind": run.kind,
        "subject": run.subject,
        "status": str(run.status),
        "phase": run.phase,
        "progress": round(run.progress, 1),
        "counts": run.counts,
        "attempt": run.attempt,
        "created_at": stamp(run.created_at),
        "started_at": stamp_or_none(run.started_at),
        "ended_at": stamp_or_none(run.ended_at),
        "error": run.error_message[:300] or None,
    }


def recent_runs() -> list[Run]:
    """Return the runs that wait or work, then those that ended last."""
    fields = Run.objects.defer("payload", "checkpoint")
    unended: RunQuerySet = fields.unended().order_by("-created_at")[:MOST_UNENDED]
    ended = fields.ended().order_by("-created_at")[:MOST_ENDED]
    return [*unended, *ended]


def _rows() -> dict[str, dict[str, Any]]:
    return {str(run.pk): run_row(run) for run in recent_runs()}


def _overview() -> dict[str, Any]:
    now = timezone.now()
    return {
        "issues": [issue.as_dict() for issue in health.all_issues(now=now)],
        "figures": [figure.as_dict() for figure in trends.current(now=now)],
    }


def _message(event: str, data: Any) -> str:
    return orjson.dumps({"event": event, "data": data}).decode()


def changes(
    before: dict[str, Any], after: dict[str, Any], *, sections: Sequence[str]
) -> list[tuple[str, Any]]:
    """Return the messages that turn one state into the other.

    Args:
        before: ``{"runs": {id: row}, "issues": […], "figures": […]}``.
        after: the same, later.
        sections: which lists to compare besides the runs.
    """
    found: list[tuple[str, Any]] = [
        ("run", row) for run_id, row in after["runs"].items() if before["runs"].get(run_id) != row
    ]
    found += [(name, after[name]) for name in sections if before[name] != after[name]]
    return found


class Boards:
    """The boards of one event loop, and the state that they show."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[str]] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._state: dict[str, Any] = {}

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[AsyncIterator[str]]:
        """Give an endless iterator of messages: the snapshot first."""
        if not self._state:
            self._state = await self._look(whole=True)
        queue: asyncio.Queue[str] = asyncio.Queue(BACKLOG)
        queue.put_nowait(self._snapshot())
        self._queues.add(queue)
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.get_running_loop().create_task(
                self._watch(), context=contextvars.Context()
            )
        try:
            yield self._messages(queue)
        finally:
            self._queues.discard(queue)

    @staticmethod
    async def _messages(queue: asyncio.Queue[str]) -> AsyncIterator[str]:
        while True:
            yield await queue.get()

    def _snapshot(self) -> str:
        return _message("snapshot", {**self._state, "runs": list(self._state["runs"].values())})

    async def _look(self, *, whole: bool) -> dict[str, Any]:
        overview = await in_thread(_overview) if whole else {}
        return {**self._state, **overview, "runs": await in_thread(_rows)}

    async def _watch(self) -> None:
        turn = 0
        while self._queues:
            await asyncio.sleep(LOOK_EVERY_S)
            turn += 1
            try:
                after = await self._look(whole=turn % FIGURES_EVERY == 0)
            except DatabaseError as error:
                logger.warning("boards not renewed", extra={"why": repr(error)})
                continue
            except Exception:  # an app's figure or issue failed: the boards go on
                logger.exception("boards not renewed")
                continue
            found = changes(self._state, after, sections=("issues", "figures"))
            self._state = after
            for event, data in found:
                self._spread(_message(event, data))
        self._state = {}

    def _spread(self, message: str) -> None:
        for queue in self._queues:
            if queue.full():  # too slow for changes: start it over
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(self._snapshot())
            else:
                queue.put_nowait(message)


_boards: dict[asyncio.AbstractEventLoop, Boards] = {}


def here() -> Boards:
    """Return the boards of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _boards:
        for old in [known for known in _boards if known.is_closed()]:
            del _boards[old]
        _boards[loop] = Boards()
    return _boards[loop]
