"""Doing calls that may take long beside the worker's thread, so that no cancel waits for them.

A call to a site or an LLM can't be interrupted. It is made in a thread of its own; the worker's
thread looks every ``LOOK_EVERY_S`` whether the work is to stop, and then leaves the call alone:
what it comes to is thrown away.
"""

import contextvars
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, TypeVar

from django.db import connections

T = TypeVar("T")
LOOK_EVERY_S: Final = 0.1
_END: Final = object()


class Aside:
    """One thread that does calls for one worker's thread, one after another."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._context = contextvars.copy_context()
        self._thread: threading.Thread | None = None

    def call(self, deed: Callable[[], T]) -> T:
        """Return what ``deed`` returns, and raise what it raises.

        Raises:
            StopWorkError: the work is to stop; the deed goes on unheeded.
        """
        self._check()
        answer: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="aside", daemon=True)
            self._thread.start()
        within = contextvars.copy_context()  # the phase that asks, for log lines and spans
        self._calls.put((partial(within.run, deed), answer))
        while True:
            try:
                found, error = answer.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                self._check()
                continue
            if error is not None:
                raise error
            return found  # type: ignore[no-any-return]  # what the deed returned

    def each(self, items: Iterator[T]) -> Iterator[T]:
        """Yield what ``items`` yields, each asked for as ``call`` does."""
        while True:
            found: Any = self.call(lambda: next(items, _END))
            if found is _END:
                return
            yield found

    def close(self) -> None:
        """Let the thread end when it has done what it is at."""
        self._calls.put(None)

    def _serve(self) -> None:
        while (asked := self._calls.get()) is not None:
            deed, answer = asked
            try:
                answer.put((self._context.run(deed), None))
            except BaseException as error:  # noqa: BLE001 -- raised again where it was asked for
                answer.put((None, error))
            finally:
                connections.close_all()  # others may have it until the next call


@contextmanager
def beside(check: Callable[[], None]) -> Iterator[Aside]:
    """Give a thread beside this one for the block.

    Args:
        check: raises when the work is to stop.
    """
    found = Aside(check)
    try:
        yield found
    finally:
        found.close()
