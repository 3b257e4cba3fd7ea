"""The SQLite database that a move reads: its tables' keys, and rows in the order of keys."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from project.storage.adapters.sqlite import quoted, tables

#: Portion of rows per transaction: some megabytes.
ROWS_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Portion:
    """Rows that follow each other, and the key of the last of them."""

    rows: list[tuple[Any, ...]]
    last_key: list[Any]


class Source:
    """An open connection to the database that is read; it shows one moment."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        found = connection.execute("PRAGMA table_list")
        self._without_rowid = {row[1] for row in found if row[4]}

    def tables(self) -> list[str]:
        """Return the names of all tables but SQLite's own."""
        return tables(self._connection)

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns."""
        rows = self._connection.execute(f"PRAGMA table_info({quoted(table)})")
        return [row[1] for row in rows]

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        sql = f"SELECT COUNT(*) FROM {quoted(table)}"  # noqa: S608 -- a quoted name
        return int(self._connection.execute(sql).fetchone()[0])

    def identity(self) -> str:
        """Return what tells this database from all others: when each migration was applied."""
        rows = self._connection.execute(
            "SELECT app, name, applied FROM django_migrations ORDER BY id"
        )
        return hashlib.sha256(repr(rows.fetchall()).encode()).hexdigest()

    def last_number(self, table: str) -> int:
        """Return the highest number that AUTOINCREMENT gave, also to rows that are gone."""
        row = self._connection.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", [table]
        ).fetchone()
        return int(row[0]) if row else 0

    def spread(self, table: str, column: str, *, step: int) -> list[int]:
        """Return the multiples of ``step`` between which a column's values lie."""
        name = quoted(column)
        sql = f"SELECT DISTINCT {name} / ? FROM {quoted(table)}"  # noqa: S608 -- quoted names
        return sorted(int(row[0]) * step for row in self._connection.execute(sql, [step]))

    def portions(
        self, table: str, columns: Sequence[str], *, after: Sequence[Any] | None = None
    ) -> Iterator[Portion]:
        """Give a table's rows in the order of its key, from the one after ``after``."""
        keys = self._keys(table)
        names = ", ".join([*keys, *(quoted(name) for name in columns)])
        order = ", ".join(keys)
        where = f"WHERE ({order}) > ({', '.join('?' * len(keys))})" if after is not None else ""
        sql = f"SELECT {names} FROM {quoted(table)} {where} ORDER BY {order}"  # noqa: S608 -- quoted names
        cursor = self._connection.execute(sql, list(after or ()))
        width = len(keys)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            last = list(rows[-1][:width])
            yield Portion([row[width:] for row in rows], last)

    def _keys(self, table: str) -> list[str]:
        """Return what orders a table without sorting: its rowid, or the key it is stored by."""
        if table not in self._without_rowid:
            return ["_rowid_"]
        rows = self._connection.execute(f"PRAGMA table_info({quoted(table)})").fetchall()
        return [quoted(row[1]) for row in sorted(rows, key=lambda row: row[5]) if row[5]]
