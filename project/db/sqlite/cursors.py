"""Decides when a statement waits at the writer gate."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from django.db.backends.sqlite3.base import SQLiteCursorWrapper

from project.db.sqlite import errors, statements

if TYPE_CHECKING:
    from project.db.sqlite.members import Member


class PooledCursor(SQLiteCursorWrapper):
    """A cursor whose writes take their turn.

    A write outside a transaction holds the gate for one statement; the rows of its RETURNING are
    read before it leaves, since SQLite commits with the last row. Inside a transaction the gate
    stays with the connection until the transaction ends.
    """

    def __init__(
        self, connection: sqlite3.Connection, *, member: "Member", timeout_s: float
    ) -> None:
        """Make a cursor on ``member``, which waits for its turn for up to ``timeout_s``."""
        super().__init__(connection)
        self._member = member
        self._timeout_s = timeout_s
        self._rows: Iterator[Any] | None = None
        member.cursors.add(self)

    def execute(self, query: str, params: Any = None) -> Self:
        """Run one statement."""
        run = super().execute
        return self._run(query, lambda: run(query, params))

    def executemany(self, query: str, param_list: Iterable[Any]) -> Self:
        """Run one statement for each of ``param_list``."""
        run = super().executemany
        return self._run(query, lambda: run(query, param_list))

    def executescript(self, script: str) -> Self:
        """Run several statements; what they do to the connection is not known."""
        self._member.is_tainted = True
        run = super().executescript
        return self._gated(lambda: run(script))

    def _run(self, query: str, run: Callable[[], Any]) -> Self:
        self._rows = None
        member = self._member
        if member.turn is None and not statements.is_read(query):
            return self._gated(run, query)
        if statements.taints(query):
            member.is_tainted = True
        run()
        if member.turn is not None:
            member.leave_gate_after_transaction()  # the statement may have been a COMMIT
        return self

    def _gated(self, run: Callable[[], Any], query: str = "") -> Self:
        member = self._member
        if statements.taints(query):
            member.is_tainted = True
        member.enter_gate(timeout_s=self._timeout_s)
        had_read, began_s = member.is_in_transaction, time.monotonic()
        try:
            run()
            if self.description is not None and not member.raw.in_transaction:
                self._rows = iter(super().fetchall())
        except sqlite3.OperationalError as error:
            if had_read and time.monotonic() - began_s < self._timeout_s / 2:
                errors.mark_old_snapshot(error)
            raise
        finally:
            member.leave_gate_after_transaction()
        return self

    def fetchone(self) -> Any:
        """Return the next row, or nothing."""
        return super().fetchone() if self._rows is None else next(self._rows, None)

    def fetchall(self) -> list[Any]:
        """Return the remaining rows."""
        return super().fetchall() if self._rows is None else list(self._rows)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next ``size`` rows."""
        count = self.arraysize if size is None else size
        return super().fetchmany(count) if self._rows is None else list(islice(self._rows, count))

    def __next__(self) -> Any:
        return super().__next__() if self._rows is None else next(self._rows)
