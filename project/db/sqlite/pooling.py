"""Decides who gets which connection, when the pool grows, and when it shrinks.

Requests are served in the order of asking. Nothing here knows Django.
"""

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from project.db.errors import PoolExhaustedError
from project.db.recording import ErrorKind, Event, Recorder
from project.db.sqlite.demand import Demand
from project.db.sqlite.gating import LOOK_EVERY_S, WriterGate
from project.db.sqlite.members import Member, Owner
from project.db.sqlite.options import PoolOptions

Connect = Callable[[], sqlite3.Connection]

#: The pool opens at most one connection per such time for requests that waited long.
_GROW_EVERY_S: Final = 0.01
_RETIRE_EVERY_S: Final = 0.25
_LOOK_AT_FILE_EVERY_S: Final = 0.5


class _Ticket:
    """A place in the queue; ``lock`` opens when ``member``, or leave to open one, is there."""

    __slots__ = ("lock", "member")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lock.acquire()
        self.member: Member | None = None


class Pool:
    """The connections of this process to one file."""

    def __init__(self, path: str, *, options: PoolOptions, gate: WriterGate) -> None:
        """Make an empty pool; connections are opened when they are asked for."""
        self.path = path
        self.options = options
        self.gate = gate
        self.recorder = Recorder(is_on=options.keeps_statistics)
        self._demand = Demand(grow_after_s=options.grow_after_s)
        self._mutex = threading.Lock()
        self._queue: deque[_Ticket] = deque()
        self._idle: deque[Member] = deque()  # last returned, last in; taken from that end
        self._lent: set[Member] = set()
        self._size = 0  # open ones and those being opened
        self._wanted_size = options.min_size
        self._generation = 0
        self._file: tuple[int, int] | None = None
        self._looked_at_file_s = self._grew_at_s = self._retired_at_s = 0.0

    # -- what others see ----------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Return how many connections are open or being opened."""
        return self._size

    @property
    def in_use(self) -> int:
        """Return how many connections are lent."""
        return self._size - len(self._idle)

    @property
    def idle(self) -> int:
        """Return how many connections are free."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Return how many requests wait for a connection."""
        return len(self._queue)

    def lent(self) -> list[Member]:
        """Return the connections that are lent, the longest held first."""
        with self._mutex:
            members = list(self._lent)
        return sorted(members, key=lambda member: member.lent_at_s)

    # -- lending ------------------------------------------------------------------------------

    def acquire(self, owner: Owner, connect: Connect) -> Member:
        """Lend a connection to ``owner``, in the order of asking.

        Args:
            owner: who must give it back; held weakly.
            connect: opens a connection where none is free.

        Raises:
            PoolExhaustedError: none became free within the time limit.
        """
        asked_at_s = time.monotonic()
        self._look_at_file(asked_at_s)
        member, ticket = self._take_or_queue(asked_at_s)
        if ticket is not None:
            member = self._wait(ticket, asked_at_s=asked_at_s)
        if member is None:
            member = self._open(connect)
        now_s = time.monotonic()
        member.lend(owner, now_s=now_s, waited_s=now_s - asked_at_s)
        with self._mutex:
            self._lent.add(member)
        return member

    def release(self, member: Member, *, is_reusable: bool) -> None:
        """Take a connection back; the request that has waited longest gets it."""
        now_s = time.monotonic()
        used_s = now_s - member.lent_at_s
        doomed: list[Member] = []
        with self._mutex:
            if member not in self._lent:  # taken back from a thread that seemed dead
                return
            self._lent.discard(member)
            member.returned_at_s = now_s
            self._demand.ended(used_s=used_s - member.gate_waited_s)
            self.recorder.use_ended(now_s, waited_s=member.waited_s, used_s=used_s)
            if not is_reusable:
                self.recorder.events[Event.BROKEN] += 1
            if is_reusable and self._is_fresh(member, now_s):
                self._put(member, now_s, doomed)
            else:
                doomed.append(member)
                self._hand_over(None)
            self._pick_idle_too_long(now_s, doomed)
        self._close_all(doomed)

    # -- healing ------------------------------------------------------------------------------

    def recycle(self) -> int:
        """Replace every connection: free ones now, lent ones on their return."""
        with self._mutex:
            self._generation += 1
            doomed = list(self._idle)
            self._idle.clear()
            self._size -= len(doomed)
        self._close_all(doomed)
        return len(doomed)

    def grow(self, by: int) -> int:
        """Allow ``by`` more connections at once, within ``max_size``; return the new size."""
        with self._mutex:
            reached = max(self._wanted_size, self._size) + by
            self._wanted_size = min(self.options.max_size, reached)
            while self._queue and self._size < self._wanted_size:
                self._size += 1
                self._hand_over(None)
            return self._wanted_size

    def tidy(self) -> None:
        """Close what has been idle too long, and take back what dead threads held."""
        doomed: list[Member] = []
        with self._mutex:
            self._pick_idle_too_long(time.monotonic(), doomed)
        self._close_all(doomed)
        self.reclaim()

    def reclaim(self) -> int:
        """Take back connections from threads that ended without closing theirs."""
        with self._mutex:
            orphans = [member for member in self._lent if member.is_orphaned]
            for member in orphans:
                self._lent.discard(member)
        for member in orphans:
            owner = member.owner
            if owner is not None:
                owner.forget_connection()
            member.restore()
            member.close()
            with self._mutex:
                self.recorder.events[Event.ABANDONED] += 1
                self._hand_over(None)
        return len(orphans)

    def forget_all(self) -> list[sqlite3.Connection]:
        """Detach every connection from its owner, without touching it: after a fork."""
        for member in self._lent:
            owner = member.owner
            if owner is not None:
                owner.forget_connection()
        return [member.raw for member in (*self._lent, *self._idle)]

    # -- inside -------------------------------------------------------------------------------

    def _take_or_queue(self, now_s: float) -> tuple[Member | None, _Ticket | None]:
        """Return a free connection, or neither (leave to open one), or a place in the queue."""
        doomed: list[Member] = []
        with self._mutex:
            self._demand.asked(now_s, wanted=self.in_use + len(self._queue) + 1)
            member = None if self._queue else self._pick_free(now_s, doomed)
            ticket = None
            if member is None:
                if self._may_open(now_s):
                    self._size += 1
                else:
                    ticket = _Ticket()
                    self._queue.append(ticket)
        self._close_all(doomed)
        return member, ticket

    def _pick_free(self, now_s: float, doomed: list[Member]) -> Member | None:
        while self._idle:
            member = self._idle.pop()
            if self._is_fresh(member, now_s) and member.is_open:
                return member
            doomed.append(member)
            self._size -= 1
        return None

    def _may_open(self, now_s: float) -> bool:
        """Say whether a connection should be opened at once instead of waiting for one."""
        if self._size < self._wanted_size:
            return True
        if not self.options.grows_ahead or self._size >= self.options.max_size:
            return False
        if self._demand.is_bound(now_s, cpu_s=time.process_time):
            return False
        if self._demand.size(now_s, held_s=self._held_s(now_s)) <= self._size:
            return False
        self.recorder.events[Event.GROWN] += 1
        return True

    def _held_s(self, now_s: float) -> float:
        """Return how long the lent connections have been held on average."""
        if not self._lent:
            return 0.0
        return now_s - sum(member.lent_at_s for member in self._lent) / len(self._lent)

    def _wait(self, ticket: _Ticket, *, asked_at_s: float) -> Member | None:
        until_s = asked_at_s + self.options.timeout_s
        patience_s = self.options.grow_after_s
        try:
            while not ticket.lock.acquire(timeout=_left_s(until_s, patience_s)):
                if self._grow_for(ticket):
                    return None
                self._give_up_after(until_s)
                patience_s = LOOK_EVERY_S if self._size >= self.options.max_size else _GROW_EVERY_S
                self.reclaim()
        except BaseException:
            self._withdraw(ticket)
            raise
        return ticket.member

    def _give_up_after(self, until_s: float) -> None:
        if time.monotonic() >= until_s:
            text = self._excuse()
            self.recorder.failed(ErrorKind.TIMEOUT, text)
            raise PoolExhaustedError(text)

    def _grow_for(self, ticket: _Ticket) -> bool:
        """Let a request that has waited long open a connection of its own, if there is room."""
        with self._mutex:
            now_s = time.monotonic()
            if self._size >= self.options.max_size or now_s - self._grew_at_s < _GROW_EVERY_S:
                return False
            if ticket not in self._queue:
                return False
            self._queue.remove(ticket)
            self._size += 1
            self._grew_at_s = now_s
            self.recorder.events[Event.GROWN] += 1
            return True

    def _withdraw(self, ticket: _Ticket) -> None:
        """Leave the queue, or pass on what was handed over in that very moment."""
        with self._mutex:
            if ticket in self._queue:
                self._queue.remove(ticket)
            else:
                self._hand_over(ticket.member)

    def _open(self, connect: Connect) -> Member:
        try:
            generation = self._generation
            raw = connect()
        except BaseException:
            with self._mutex:
                self._hand_over(None)
            raise
        self._file = self._file or _identity(self.path)
        member = Member(raw, recorder=self.recorder, gate=self.gate, generation=generation)
        with self._mutex:
            self.recorder.events[Event.OPENED] += 1
        return member

    def _put(self, member: Member, now_s: float, doomed: list[Member]) -> None:
        """Hand over or keep a connection that came back, unless there are too many."""
        if self._is_too_large(now_s):
            self._retired_at_s = now_s
            self._size -= 1
            self.recorder.events[Event.RETIRED] += 1
            doomed.append(member)
        else:
            self._hand_over(member)

    def _is_too_large(self, now_s: float) -> bool:
        """Say whether there are more connections at work than are good for their users."""
        if self._size <= self._wanted_size or now_s - self._retired_at_s < _RETIRE_EVERY_S:
            return False
        demand = self._demand
        if not demand.is_quick and not demand.is_bound(now_s, cpu_s=time.process_time):
            return False
        return demand.busy_size(now_s) < self._size

    def _hand_over(self, member: Member | None) -> None:
        """Give a connection, or leave to open one, to whoever has waited longest."""
        if self._queue:
            ticket = self._queue.popleft()
            ticket.member = member
            ticket.lock.release()
        elif member is None:
            self._size -= 1
        else:
            self._idle.append(member)

    def _is_fresh(self, member: Member, now_s: float) -> bool:
        is_young = now_s - member.opened_at_s < self.options.max_lifetime_s
        return is_young and member.generation == self._generation

    def _pick_idle_too_long(self, now_s: float, doomed: list[Member]) -> None:
        limit_s = now_s - self.options.max_idle_s
        while self._idle and self._idle[0].returned_at_s < limit_s:
            self._wanted_size = self.options.min_size
            if self._size <= self.options.min_size:
                break
            doomed.append(self._idle.popleft())
            self._size -= 1

    def _look_at_file(self, now_s: float) -> None:
        """Drop connections to a file that was replaced under them, e.g. by a restore."""
        if now_s - self._looked_at_file_s < _LOOK_AT_FILE_EVERY_S:
            return
        self._looked_at_file_s = now_s
        found = _identity(self.path)
        if found == self._file:
            return
        known, self._file = self._file, found
        if known is not None:
            self.recorder.events[Event.REPLACED] += 1
            self.recycle()

    def _close_all(self, doomed: list[Member]) -> None:
        for member in doomed:
            member.close()
        if doomed:
            with self._mutex:
                self.recorder.events[Event.CLOSED] += len(doomed)

    def _excuse(self) -> str:
        longest = self.lent()[:1]
        held = ""
        if longest:
            held_s = time.monotonic() - longest[0].lent_at_s
            held = f"; held longest: {longest[0].place} for {held_s:.1f} s"
        return (
            f"no connection to {self.path} was free within {self.options.timeout_s:g} s: "
            f"{self.in_use} of {self.options.max_size} in use, {self.waiting} waiting{held}"
        )


def _left_s(until_s: float, at_most_s: float) -> float:
    return max(0.0, min(at_most_s, until_s - time.monotonic()))


def _identity(path: str) -> tuple[int, int] | None:
    """Return what tells one file from another at the same path."""
    try:
        found = os.stat(path)  # noqa: PTH116 -- on the path of each check-out
    except OSError:
        return None
    return found.st_dev, found.st_ino
