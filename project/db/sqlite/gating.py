"""Decides who may write next: one writer at a time, in the order of asking.

The gate is a device for speed and order. SQLite's own locks and its busy time-out remain the
guarantee; the gate only replaces their polling (unfair, in steps of up to 100 ms) by a queue
inside the process and a lock file between processes.
"""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from project.db.errors import NestedWriterError, WriterBusyError
from project.db.places import Place

try:
    import fcntl
except ImportError:  # Windows: the queue inside the process and SQLite's own locks remain
    fcntl = None  # type: ignore[assignment]

#: After each such wait a waiter looks whether the writer's thread still lives.
LOOK_EVERY_S: Final = 1.0
_FIRST_POLL_S: Final = 0.0001
_LONGEST_POLL_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class Turn:
    """One writer's time inside the gate; moments are monotonic."""

    thread: threading.Thread
    place: Place | None
    entered_at_s: float
    waited_s: float


class ProcessLock:
    """A lock between processes that the system takes back when its holder is killed."""

    __slots__ = ("_handle",)

    def __init__(self, path: Path) -> None:
        """Open the lock file; where that can't be done the lock is always free."""
        self._handle: int | None = None
        if fcntl is not None:
            with contextlib.suppress(OSError):  # e.g. a read-only folder
                self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self, *, until_s: float) -> bool:
        """Take the lock, polling until ``until_s`` (monotonic)."""
        poll_s = _FIRST_POLL_S
        while not self._try():
            if time.monotonic() > until_s:
                return False
            time.sleep(poll_s)
            poll_s = min(poll_s * 1.5, _LONGEST_POLL_S)
        return True

    def release(self) -> None:
        """Let the next process in."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the lock file; in a forked child this leaves the parent's lock alone."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def _try(self) -> bool:
        if self._handle is None:
            return True
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without such locks
            self.close()
        return True


class WriterGate:
    """The queue of the writers to one file."""

    def __init__(self, path: str, *, crosses_processes: bool) -> None:
        """Make the gate of the database at ``path``; ``reclaim`` is set by the registry."""
        self.path = path
        #: Takes back what dead threads hold; called by those that wait long.
        self.reclaim: Callable[[], None] = lambda: None
        self._mutex = threading.Lock()
        self._queue: deque[threading.Lock] = deque()
        self._is_held = False
        self._turn: Turn | None = None
        self._processes = ProcessLock(Path(f"{path}-gate")) if crosses_processes else None

    @property
    def turn(self) -> Turn | None:
        """Return the present writer's turn, if there is one in this process."""
        return self._turn

    @property
    def waiting(self) -> int:
        """Return how many threads of this process wait to write."""
        return len(self._queue)

    def enter(self, *, timeout_s: float, place: Place | None) -> Turn:
        """Wait for this thread's turn to write.

        Raises:
            NestedWriterError: the present writer is this very thread.
            WriterBusyError: the turn didn't come within ``timeout_s``.
        """
        asked_at_s = time.monotonic()
        until_s = asked_at_s + timeout_s
        ticket = self._take_or_queue()
        if ticket is not None:
            self._wait(ticket, until_s=until_s, timeout_s=timeout_s)
        try:
            self._enter_process(until_s=until_s, timeout_s=timeout_s)
        except BaseException:
            self._pass_on()
            raise
        now_s = time.monotonic()
        self._turn = Turn(threading.current_thread(), place, now_s, now_s - asked_at_s)
        return self._turn

    def leave(self) -> None:
        """End the present turn and let the next writer in.

        The lock between processes is not kept for the next writer of this process: that gained
        no throughput and made the slowest writes slower.
        """
        self._turn = None
        if self._processes:
            self._processes.release()
        self._pass_on()

    def close(self) -> None:
        """Close the lock file."""
        if self._processes:
            self._processes.close()

    def _take_or_queue(self) -> "threading.Lock | None":
        """Take the free gate, or return a ticket: a lock that opens when the turn comes."""
        with self._mutex:
            if not self._is_held:
                self._is_held = True
                return None
            turn = self._turn
            if turn is not None and turn.thread is threading.current_thread():
                raise NestedWriterError(
                    f"this thread already writes to {self.path}, since {turn.place}: "
                    "end that transaction first, or use the same database alias"
                )
            ticket = threading.Lock()
            ticket.acquire()
            self._queue.append(ticket)
            return ticket

    def _enter_process(self, *, until_s: float, timeout_s: float) -> None:
        if self._processes and not self._processes.acquire(until_s=until_s):
            raise WriterBusyError(
                f"another process kept writing to {self.path} for {timeout_s:g} s"
            )

    def _wait(self, ticket: threading.Lock, *, until_s: float, timeout_s: float) -> None:
        try:
            while not ticket.acquire(timeout=_slice_s(until_s)):
                self._give_up_after(until_s, timeout_s)
                self.reclaim()
        except BaseException:
            self._withdraw(ticket)
            raise

    def _give_up_after(self, until_s: float, timeout_s: float) -> None:
        if time.monotonic() >= until_s:
            raise WriterBusyError(self._excuse(timeout_s))

    def _withdraw(self, ticket: threading.Lock) -> None:
        """Give up the place in the queue, or the turn that came in that very moment."""
        with self._mutex:
            if ticket in self._queue:
                self._queue.remove(ticket)
                return
        self._pass_on()

    def _pass_on(self) -> None:
        with self._mutex:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._is_held = False

    def _excuse(self, timeout_s: float) -> str:
        turn = self._turn
        who = "another process is writing"
        if turn is not None:
            held_s = time.monotonic() - turn.entered_at_s
            who = f"{turn.place} in {turn.thread.name} has been writing for {held_s:.1f} s"
        return f"no turn to write to {self.path} within {timeout_s:g} s: {who}"


def _slice_s(until_s: float) -> float:
    return max(0.0, min(LOOK_EVERY_S, until_s - time.monotonic()))
