"""Decides what a connection of the pool carries with it, and how it becomes as good as new."""

import contextlib
import sqlite3
import threading
import time
import weakref
from typing import Final, Protocol

from project.db import places
from project.db.errors import NestedWriterError, WriterBusyError
from project.db.places import Place
from project.db.recording import ErrorKind, Recorder
from project.db.sqlite.gating import Turn, WriterGate

_JUST_NOW_S: Final = 0.0005


class Owner(Protocol):
    """Who a connection is lent to: Django's wrapper of one thread."""

    @property
    def allow_thread_sharing(self) -> bool:
        """Whether threads other than its own may use it."""

    def forget_connection(self) -> None:
        """Let go of the connection without touching it."""


class Member:
    """One connection of a pool; moments are monotonic."""

    __slots__ = (
        "_owner",
        "cursors",
        "gate",
        "gate_waited_s",
        "generation",
        "is_tainted",
        "lent_at_s",
        "opened_at_s",
        "place",
        "raw",
        "recorder",
        "returned_at_s",
        "thread",
        "turn",
        "waited_s",
    )

    def __init__(
        self, raw: sqlite3.Connection, *, recorder: Recorder, gate: WriterGate, generation: int
    ) -> None:
        """Take in the open connection ``raw``."""
        self.raw = raw
        self.recorder = recorder
        self.gate = gate
        self.generation = generation
        self.opened_at_s = self.lent_at_s = self.returned_at_s = time.monotonic()
        self.waited_s = 0.0
        #: What this use has waited at the gate, where more connections wouldn't help.
        self.gate_waited_s = 0.0
        self.thread: threading.Thread | None = None
        self.place: Place | None = None
        #: Set when a statement changed the connection in a way that can't be undone.
        self.is_tainted = False
        self.turn: Turn | None = None
        self.cursors: weakref.WeakSet[sqlite3.Cursor] = weakref.WeakSet()
        self._owner: weakref.ref[Owner] | None = None

    @property
    def owner(self) -> Owner | None:
        """Return who holds it, if that still exists."""
        return self._owner() if self._owner is not None else None

    @property
    def is_open(self) -> bool:
        """Whether nobody closed the connection behind the pool's back."""
        try:
            return self.raw.total_changes >= 0
        except sqlite3.Error:
            return False

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction is open; none is where the connection was closed."""
        try:
            return self.raw.in_transaction
        except sqlite3.Error:
            return False

    @property
    def is_orphaned(self) -> bool:
        """Whether it is lent to a thread that ended, or to an owner that is gone."""
        owner = self.owner
        if owner is None:
            return True
        thread_ended = self.thread is not None and not self.thread.is_alive()
        return thread_ended and not owner.allow_thread_sharing

    def lend(self, owner: Owner, *, now_s: float, waited_s: float) -> None:
        """Note who takes it, where and when."""
        self._owner = weakref.ref(owner)
        self.thread = threading.current_thread()
        self.lent_at_s = now_s
        self.waited_s = waited_s
        self.gate_waited_s = 0.0
        if self.recorder.is_on:
            self.place = places.taken_by(self.thread.name)

    def enter_gate(self, *, timeout_s: float) -> None:
        """Wait for the turn to write; nothing happens where it is held already."""
        if self.turn is not None:
            return
        try:
            self.turn = self.gate.enter(timeout_s=timeout_s, place=self._writing_place())
        except WriterBusyError as error:
            self.recorder.failed(ErrorKind.BUSY, str(error))
            raise
        except NestedWriterError as error:
            self.recorder.failed(ErrorKind.DEADLOCK, str(error))
            raise

    def _writing_place(self) -> Place | None:
        """Return where the write begins: mostly where the connection was taken just now."""
        if not self.recorder.is_on or time.monotonic() - self.lent_at_s < _JUST_NOW_S:
            return self.place
        return places.taken_by(threading.current_thread().name)

    def leave_gate(self) -> None:
        """End the turn to write, if there is one."""
        turn, self.turn = self.turn, None
        if turn is None:
            return
        self.gate_waited_s += turn.waited_s
        now_s = time.monotonic()
        self.recorder.write_ended(now_s, waited_s=turn.waited_s, held_s=now_s - turn.entered_at_s)
        self.gate.leave()

    def leave_gate_after_transaction(self) -> None:
        """End the turn unless a transaction is still open."""
        if self.turn is not None and not self.is_in_transaction:
            self.leave_gate()

    def restore(self) -> bool:
        """Undo what its user left open; return whether somebody else may have it.

        Cursors are closed first: an unfinished SELECT would keep its old snapshot of the data
        for the next user, and its iterator would go on in another thread's connection.
        """
        try:
            for cursor in tuple(self.cursors):
                cursor.close()
            if self.raw.in_transaction:
                self.raw.rollback()
            self.raw.isolation_level = None
            self.raw.row_factory = None
            self.raw.text_factory = str
        except sqlite3.Error:
            return False
        finally:
            self.cursors.clear()
            self.leave_gate()
        return not self.is_tainted

    def close(self) -> None:
        """Close the connection; one that is closed already is no error."""
        with contextlib.suppress(sqlite3.Error):
            self.raw.close()
