"""Letting plain code read what asyncio brings, while the loop goes on in a thread of its own."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final, TypeVar

import uvloop

T = TypeVar("T")
_END: Final = object()
_WAITING: Final = 64


def iterate(make: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
    """Yield what an asynchronous generator yields; it never waits for the reader's database.

    Leaving the iteration early cancels the generator and waits for its end.
    """
    found: queue.Queue[Any] = queue.Queue(_WAITING)
    with _running(make, found) as thread:
        while (item := found.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            yield item
        thread.join()


@contextmanager
def _running(
    make: Callable[[], AsyncIterator[Any]], found: "queue.Queue[Any]"
) -> Iterator[threading.Thread]:
    loop = uvloop.new_event_loop()
    task = loop.create_task(_feed(make, found))
    thread = threading.Thread(target=_run, args=(loop, task), name="proxies-loop", daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(task.cancel)
        while thread.is_alive():  # it may wait for room to put its last item
            _drain(found)
            thread.join(0.05)


def _drain(found: "queue.Queue[Any]") -> None:
    while True:
        try:
            found.get_nowait()
        except queue.Empty:
            return


def _run(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
    with closing(loop):
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            return
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())


async def _feed(make: Callable[[], AsyncIterator[Any]], found: "queue.Queue[Any]") -> None:
    try:
        async for item in make():
            await _put(found, item)
    except Exception as error:  # noqa: BLE001 -- raised again where it is read
        await _put(found, error)
    else:
        await _put(found, _END)


async def _put(found: "queue.Queue[Any]", item: Any) -> None:
    """Put without blocking the loop: whoever reads may be busy with the database."""
    while True:
        try:
            found.put_nowait(item)
        except queue.Full:
            await asyncio.sleep(0.01)
        else:
            return
