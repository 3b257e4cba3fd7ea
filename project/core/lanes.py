"""Database work of plain ASGI applications: on few threads, which keep their connection while there is more.

A thread pool would give the connection back after each piece of work; where pieces are short
that costs as much as the work. A thread that has nothing to do for a moment holds no connection.
"""

import asyncio
import contextvars
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db import connection, connections

T = TypeVar("T")
#: Writers of SQLite take turns anyway, and threads of one interpreter only get in each other's way;
#: with PostgreSQL each waits for answers.
_LANES: Final = {"sqlite": 1}
_OTHERWISE: Final = 4
#: How long a thread with nothing to do keeps its connection: a program's next request comes soon.
KEPT_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Job:
    context: contextvars.Context
    call: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"


class Lanes:
    """The threads of one process."""

    def __init__(self, count: int) -> None:
        self._asked: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        for number in range(count):
            threading.Thread(target=self._work, name=f"lane-{number}", daemon=True).start()

    async def run(self, call: Callable[[], T]) -> T:
        """Return what ``call`` returns, or raise what it raises; it sees the caller's context."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._asked.put(_Job(contextvars.copy_context(), call, loop, future))
        return await future

    def _work(self) -> None:
        while True:
            job: _Job | None = self._asked.get()
            while job is not None:
                _do(job)
                job = self._next()
            connections.close_all()

    def _next(self) -> _Job | None:
        try:
            return self._asked.get(timeout=KEPT_S)
        except queue.Empty:
            return None


def _do(job: _Job) -> None:
    found, error = None, None
    try:
        found = job.context.run(job.call)
    except BaseException as raised:  # noqa: BLE001 -- raised again where it is awaited
        error = raised
        connections.close_all()  # whatever state it is in: the next piece begins anew
    if not job.loop.is_closed():
        job.loop.call_soon_threadsafe(_settle, job.future, found, error)


def _settle(future: "asyncio.Future[Any]", found: Any, error: BaseException | None) -> None:
    if future.done():  # whoever waited has gone
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(found)


_lanes: dict[int, Lanes] = {}
_mutex: Final = threading.Lock()


def here() -> Lanes:
    """Return the lanes of this process; a fork gets lanes of its own."""
    found = _lanes.get(os.getpid())
    if found is None:
        with _mutex:
            count = _LANES.get(connection.vendor, _OTHERWISE)
            found = _lanes.setdefault(os.getpid(), Lanes(count))
    return found
