"""The PostgreSQL database that a move fills: its tables, its checkpoint, COPY in and out."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from project.storage.adapters import postgres
from project.storage.columns import Column
from project.storage.errors import MoveFailedError, WrongTargetError

CHECKPOINT: Final = "millrace_move_checkpoint"
_LOCK: Final = 7_266_100
_LOCK_WITHIN_S: Final = 10.0
_SELF: Final = ""
_RELATIONS: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY 1
"""
_TABLES: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND c.relname <> %s ORDER BY 1
"""
_COLUMNS: Final = """
    SELECT column_name, udt_name, numeric_scale FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER'
    ORDER BY ordinal_position
"""
_REFERENCES: Final = """
    SELECT DISTINCT f.relname, t.relname FROM pg_constraint c
    JOIN pg_class f ON f.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid
    JOIN pg_namespace n ON n.oid = f.relnamespace
    WHERE c.contype = 'f' AND n.nspname = current_schema()
"""
_SERIALS: Final = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema()
    AND (is_identity = 'YES' OR column_default LIKE 'nextval(%%') AND table_name <> %s
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a table is: the key of its last row, and how many rows there are."""

    last_key: list[Any] | None = None
    rows: int = 0
    is_done: bool = False


class Target:
    """An open connection to the database that is filled."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, dsn: str) -> Iterator["Target"]:
        """Connect, for one move at a time.

        Raises:
            WrongTargetError: another move has it.
        """
        with postgres.connect(dsn, autocommit=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET synchronous_commit = off")  # until the last transaction
            connection.execute("SET statement_timeout = 0")
            _lock(connection)
            yield cls(connection)

    def claim(self, copy_id: str) -> bool:
        """Make this database that of the copy ``copy_id``; True when its tables are all there.

        Raises:
            WrongTargetError: it holds something else.
        """
        relations = {row[0] for row in self._rows(_RELATIONS)}
        if not relations:
            self._begin(copy_id)
            return False
        if CHECKPOINT not in relations:
            names = ", ".join(sorted(relations)[:5])
            raise WrongTargetError(f"it is not empty, it holds {names}; give an empty database")
        row = self._one(
            sql.SQL("SELECT copy_id, is_done FROM {} WHERE name = %s").format(_ident(CHECKPOINT)),
            [_SELF],
        )
        if row is None or row[0] != copy_id:
            raise WrongTargetError("it holds an unfinished move of another database")
        return bool(row[1])

    def _begin(self, copy_id: str) -> None:
        table = _ident(CHECKPOINT)
        create = sql.SQL(
            "CREATE TABLE {} (name text PRIMARY KEY, copy_id text NOT NULL, last_key jsonb, "
            "rows bigint NOT NULL DEFAULT 0, is_done boolean NOT NULL DEFAULT false)"
        )
        with self._connection.transaction():
            self._connection.execute(create.format(table))
            self._connection.execute(
                sql.SQL("INSERT INTO {} (name, copy_id) VALUES (%s, %s)").format(table),
                [_SELF, copy_id],
            )

    def clear(self, copy_id: str) -> None:
        """Empty all tables, of what migrations put there, and start the copy at nothing."""
        tables = self.tables()
        mark = _ident(CHECKPOINT)
        with self._connection.transaction():
            if tables:
                names = sql.SQL(", ").join(_ident(name) for name in tables)
                self._connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
            self._connection.execute(
                sql.SQL("DELETE FROM {} WHERE name <> %s").format(mark), [_SELF]
            )
            self._connection.execute(
                sql.SQL("UPDATE {} SET is_done = true WHERE name = %s").format(mark), [_SELF]
            )
            for name in tables:
                self._connection.execute(
                    sql.SQL("INSERT INTO {} (name, copy_id) VALUES (%s, %s)").format(mark),
                    [name, copy_id],
                )

    def tables(self) -> list[str]:
        """Return the tables to fill; a partitioned one is one table."""
        return [row[0] for row in self._rows(_TABLES, [CHECKPOINT])]

    def columns(self, table: str) -> list[Column]:
        """Return a table's columns."""
        return [Column(*row) for row in self._rows(_COLUMNS, [table])]

    def references(self) -> dict[str, set[str]]:
        """Return for each table those that its foreign keys point to."""
        found: dict[str, set[str]] = {}
        for table, other in self._rows(_REFERENCES):
            found.setdefault(table, set()).add(other)
        return found

    def mark(self, table: str) -> Mark:
        """Return how far ``table`` is."""
        query = sql.SQL("SELECT last_key, rows, is_done FROM {} WHERE name = %s")
        row = self._one(query.format(_ident(CHECKPOINT)), [table])
        return Mark(*row) if row else Mark()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let what the block does hold together or not at all.

        Raises:
            MoveFailedError: the database refuses it, e.g. a row without the one it refers to.
        """
        try:
            with self._connection.transaction():
                yield
        except psycopg.Error as error:
            raise MoveFailedError(f"PostgreSQL refuses: {error}") from error

    def write(
        self, table: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]], mark: Mark
    ) -> None:
        """Add rows by binary COPY, and note how far the table is; in the caller's transaction."""
        query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)")
        with self._connection.cursor() as cursor:
            with cursor.copy(query.format(_ident(table), _names(columns))) as copy:
                copy.set_types([column.type for column in columns])
                write_row = copy.write_row
                for row in rows:
                    write_row(row)
            update = sql.SQL("UPDATE {} SET last_key = %s, rows = %s, is_done = %s WHERE name = %s")
            values = [Jsonb(mark.last_key), mark.rows, mark.is_done, table]
            cursor.execute(update.format(_ident(CHECKPOINT)), values)

    def read(
        self, table: str, columns: Sequence[Column], *, at_once: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Give all rows of a table by binary COPY, in portions."""
        query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT BINARY)")
        with (
            self._connection.cursor() as cursor,
            cursor.copy(query.format(_names(columns), _ident(table))) as copy,
        ):
            copy.set_types([column.type for column in columns])
            portion: list[tuple[Any, ...]] = []
            for row in copy.rows():
                portion.append(row)
                if len(portion) >= at_once:
                    yield portion
                    portion = []
            yield portion

    def serials(self) -> list[tuple[str, str]]:
        """Return table and column of every number that the database gives by itself."""
        return [(row[0], row[1]) for row in self._rows(_SERIALS, [CHECKPOINT])]

    def set_sequence(self, table: str, column: str, *, at_least: int) -> None:
        """Let ``column`` go on after its highest number, and after ``at_least``."""
        query = sql.SQL(
            "SELECT setval(pg_get_serial_sequence(%s, %s), "
            "GREATEST(%s, (SELECT COALESCE(MAX({}), 0) FROM {})) + 1, false)"
        )
        name = _ident(table).as_string(self._connection)
        self._connection.execute(
            query.format(_ident(column), _ident(table)), [name, column, at_least]
        )

    def finish(self) -> None:
        """Take the checkpoint away and wait until all of it is on the server's disk."""
        self._connection.execute("ANALYZE")
        self._connection.execute("SET synchronous_commit = on")
        self._connection.execute(sql.SQL("DROP TABLE {}").format(_ident(CHECKPOINT)))

    def _rows(self, query: LiteralString, values: Sequence[Any] | None = None) -> list[Any]:
        return self._connection.execute(query, values).fetchall()

    def _one(self, query: sql.Composed, values: Sequence[Any]) -> Any:
        return self._connection.execute(query, values).fetchone()


def _lock(connection: psycopg.Connection) -> None:
    """Wait a little for the lock: the session of a move that was killed ends soon."""
    until_s = time.monotonic() + _LOCK_WITHIN_S
    while True:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
        if row and row[0]:
            return
        if time.monotonic() > until_s:
            raise WrongTargetError("another move is filling it")
        time.sleep(0.1)


def _ident(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _names(columns: Sequence[Column]) -> sql.Composed:
    return sql.SQL(", ").join(_ident(column.name) for column in columns)
