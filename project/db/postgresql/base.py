"""Decides how psycopg's pool is timed, how its errors are counted, and how a fork leaves it alone.

The ``type: ignore`` here are for what Django has and its stubs lack.

Settings: ``ENGINE = "project.db.postgresql"``, ``CONN_MAX_AGE = 0``, ``OPTIONS["pool"]`` as
psycopg takes it; everything else is Django's.
"""

import ctypes
import os
import threading
import time
from typing import Any, ClassVar, Final

from django.db.backends.postgresql import base
from django.utils.asyncio import async_unsafe
from django.utils.functional import cached_property
from psycopg_pool import PoolTimeout

from project.db.counting import CountingErrorWrapper
from project.db.errors import PoolExhaustedError
from project.db.postgresql import errors
from project.db.postgresql.ledger import Ledger, Loan
from project.db.recording import ErrorKind, Event, Recorder
from project.db.statistics import Holder, PoolState

_LEAK_AFTER_S: Final = 60.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's PostgreSQL, whose pool tells the same of itself as that of SQLite."""

    _ledgers: ClassVar[dict[str, Ledger]] = {}
    _loan: Loan | None = None

    @property
    def ledger(self) -> Ledger:
        """What this process knows of the pool."""
        found = self._ledgers.get(self.alias)
        return found or self._ledgers.setdefault(self.alias, Ledger())

    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Borrow a connection, noting how long that took."""
        asked_at_s = time.monotonic()
        try:
            raw = super().get_new_connection(conn_params)
        except PoolTimeout as error:
            text = self._excuse(error)
            self.ledger.recorder.failed(ErrorKind.TIMEOUT, text)
            raise PoolExhaustedError(text) from error
        if self.pool is not None:
            self._loan = Loan(raw, owner=self, waited_s=time.monotonic() - asked_at_s)
            self.ledger.begin(self._loan)
        return raw

    @cached_property
    def wrap_database_errors(self) -> CountingErrorWrapper:
        """Django's translation of errors, with counting."""
        return CountingErrorWrapper(self, recorder_of=self._recorder, kind_of=errors.kind_of)

    def pool_state(self) -> PoolState | None:
        """Return what ``project.db.statistics`` makes its snapshot of."""
        pool = self.pool
        if pool is None:
            return None
        told = pool.get_stats()
        loans = self.ledger.lent()
        now_s = time.monotonic()
        recorder = self.ledger.recorder
        # psycopg opens connections in threads of its own, whose failures only it knows.
        recorder.errors[ErrorKind.CONNECT] = max(
            recorder.errors[ErrorKind.CONNECT], told.get("connections_errors", 0)
        )
        recorder.events[Event.OPENED] = told.get("connections_num", 0)
        recorder.events[Event.BROKEN] = told.get("returns_bad", 0)
        return PoolState(
            vendor=self.vendor,
            min_size=pool.min_size,
            max_size=pool.max_size,
            size=told["pool_size"] if not pool.closed else 0,
            in_use=len(loans),
            idle=told["pool_available"],
            waiting=told.get("requests_waiting", 0),
            recorder=recorder,
            leak_after_s=_LEAK_AFTER_S,
            holders=tuple(
                Holder.of(loan.place, thread=loan.thread, held_s=now_s - loan.lent_at_s)
                for loan in loans
            ),
        )

    def recycle_pool(self) -> int:
        """Replace every connection: free ones now, lent ones on their return."""
        if self.pool is None or self.pool.closed:
            return 0
        free = int(self.pool.get_stats()["pool_available"])
        self.pool.drain()
        return free

    def grow_pool(self, by: int) -> int:
        """Keep up to ``by`` more connections open, within ``max_size``."""
        pool = self.pool
        if pool is None or pool.closed:
            return 0
        size: int = min(pool.max_size, int(pool.get_stats()["pool_size"]) + by)
        pool.resize(max(size, pool.min_size), pool.max_size)
        return size

    def fold_wal(self) -> bool:
        """Do nothing: the server looks after its WAL."""
        return False

    def forget_connection(self) -> None:
        """Let go of the connection without touching it: after a fork."""
        self._loan = None
        self.connection = None
        self.run_on_commit = []
        if self.in_atomic_block:
            self.closed_in_transaction = True
            self.needs_rollback = True

    def _recorder(self) -> Recorder:
        return self.ledger.recorder

    def _excuse(self, error: PoolTimeout) -> str:
        longest = self.ledger.lent()[:1]
        held = f"; held longest: {longest[0].place}" if longest else ""
        return f"no connection of {self.alias!r} was free: {error}{held}"

    def _close(self) -> None:
        loan, self._loan = self._loan, None
        try:
            super()._close()  # type: ignore[misc]
        finally:
            if loan is not None:
                self.ledger.end(loan)


def _forget_after_fork() -> None:
    """Make a forked child start with no connection: its sockets belong to the parent.

    Pools and connections are made immortal, since their end would say good-bye to the server
    in the parent's name; the pool's own threads don't exist in the child anyway.
    """
    pools = list(base.DatabaseWrapper._connection_pools.values())  # type: ignore[attr-defined]
    for ledger in DatabaseWrapper._ledgers.values():
        ledger._mutex = threading.Lock()  # it may be held by a thread that is not here
        for loan in ledger.lent():
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(loan.raw))
            owner = loan.owner()
            if owner is not None:
                owner.forget_connection()
    for pool in pools:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(pool))
    base.DatabaseWrapper._connection_pools.clear()  # type: ignore[attr-defined]
    DatabaseWrapper._ledgers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
