"""PostgreSQL databases: dumping one snapshot, counting what a dump holds, restoring beside."""

import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from project.core.errors import TransientError
from project.storage import packing
from project.storage.adapters import programs
from project.storage.checksums import Sum
from project.storage.errors import (
    BackupDamagedError,
    BackupFailedError,
    StillRunningError,
    WrongSourceError,
    WrongTargetError,
)
from project.storage.progress import Tick, ignore

CONNECT_WITHIN_S: Final = 10
ALONE_WITHIN_S: Final = 3.0
#: Databases through which others are made and renamed; one of them is nearly always there.
_MAINTENANCE: Final = ("postgres", "template1")
_TABLES: Final = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    ORDER BY 1, 2
"""
#: Read by name from JSON: providers came with 15, and their column was renamed with 17.
_LOCALE: Final = """
    SELECT pg_encoding_to_char(encoding), datcollate, datctype,
        as_json ->> 'datlocprovider',
        coalesce(as_json ->> 'datlocale', as_json ->> 'daticulocale')
    FROM (SELECT *, to_jsonb(d) AS as_json FROM pg_database d) AS named WHERE datname = %s
"""
#: Who sorts text in place of the operating system, by the letter that pg_database has.
_PROVIDERS: Final = {
    "i": sql.SQL(" LOCALE_PROVIDER icu ICU_LOCALE {}"),
    "b": sql.SQL(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {}"),
}
#: However the server is set, equal values give equal text.
_SAME_TEXT: Final = (
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL IntervalStyle = 'iso_8601'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 1",
)


def connect(dsn: str, **more: Any) -> psycopg.Connection:
    """Open a connection of our own, beside Django's pool.

    Raises:
        TransientError: the server does not answer, or refuses.
    """
    words: dict[str, Any] = {
        "connect_timeout": CONNECT_WITHIN_S,
        "application_name": "millrace-storage",
    }
    try:
        return psycopg.connect(make_conninfo(dsn, **words), **more)
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL: {error}") from error


def _named(schema: str, table: str) -> str:
    return table if schema == "public" else f"{schema}.{table}"


def tables(connection: psycopg.Connection) -> dict[str, sql.Identifier]:
    """Return the tables that are not the server's own, by name without ``public.``."""
    rows = connection.execute(_TABLES).fetchall()
    return {_named(*row): sql.Identifier(*row) for row in rows}


def counts(connection: psycopg.Connection, *, tick: Tick = ignore) -> dict[str, int]:
    """Return the number of rows of each table."""
    found = {}
    for name, table in tables(connection).items():
        row = connection.execute(sql.SQL("SELECT COUNT(*) FROM {}").format(table)).fetchone()
        found[name] = int(row[0]) if row else 0
        tick(0.0)
    return found


def checksums(connection: psycopg.Connection, *, tick: Tick = ignore) -> dict[str, str]:
    """Return each table's sum over its rows as text."""
    for statement in _SAME_TEXT:
        connection.execute(statement)
    return {name: str(_sum(connection, table, tick)) for name, table in tables(connection).items()}


def _sum(connection: psycopg.Connection, table: sql.Identifier, tick: Tick) -> Sum:
    added = Sum()
    query = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(table)
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        pending: list[bytes] = []
        held = 0
        for data in copy:
            pending.append(bytes(data))
            held += len(data)
            if held >= packing.CHUNK:
                *lines, rest = b"".join(pending).split(b"\n")
                added.add_lines(lines)
                pending, held = [rest], len(rest)
                tick(0.0)
        *lines, _ = b"".join(pending).split(b"\n")
        added.add_lines(lines)
    return added


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The database as it is at one moment, however long the looking takes."""

    connection: psycopg.Connection
    database: "PostgresDatabase"

    def counts(self, *, tick: Tick = ignore) -> dict[str, int]:
        """Return the number of rows of each table."""
        return counts(self.connection, tick=tick)

    def checksums(self, *, tick: Tick = ignore) -> dict[str, str]:
        """Return each table's sum."""
        return checksums(self.connection, tick=tick)

    def chunks(self, scratch: Path, *, tick: Tick = ignore) -> Iterator[bytes]:
        """Give the content of a backup, as pg_dump writes it."""
        row = self.connection.execute("SELECT pg_export_snapshot()").fetchone()
        expected = max(1, self.database.size_bytes())
        fit = programs.fit_for(self.connection.info.server_version // 10_000)
        done = 0
        with programs.dumping(fit, self.database.dsn, snapshot=str(row and row[0])) as dump:
            while chunk := dump.read(packing.CHUNK):
                yield chunk
                done += len(chunk)
                tick(done / expected)


@dataclass(frozen=True, slots=True)
class Beside:
    """A restored database beside the one whose place it may take."""

    database: "PostgresDatabase"
    target: "PostgresDatabase"

    def counts(self, *, tick: Tick = ignore) -> dict[str, int]:
        """Return the number of rows of each table."""
        with connect(self.database.dsn) as connection:
            return counts(connection, tick=tick)

    def checksums(self, *, tick: Tick = ignore) -> dict[str, str]:
        """Return each table's sum."""
        with connect(self.database.dsn) as connection:
            return checksums(connection, tick=tick)

    def swap_in(self, *, kept_as: str) -> str:
        """Give it the target's name in one transaction; return what the old one is called now.

        Raises:
            StillRunningError: somebody is connected to the old one.
        """
        new, target = self.database.name, self.target.name
        aside = f"{target[:40]}_{kept_as}"
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        with self.target.maintained() as connection:
            exists = _exists(connection, target)
            _require_alone(connection, target)
            try:
                with connection.transaction():
                    if exists:
                        connection.execute(
                            rename.format(sql.Identifier(target), sql.Identifier(aside))
                        )
                    connection.execute(rename.format(sql.Identifier(new), sql.Identifier(target)))
            except psycopg.errors.ObjectInUse as error:
                raise StillRunningError(f"others are connected to {target}: {error}") from error
        return aside if exists else ""


def _require_alone(connection: psycopg.Connection, name: str) -> None:
    """Make sure that nobody is connected to ``name``; sessions that were just closed end soon."""
    until_s = time.monotonic() + ALONE_WITHIN_S
    query = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    while True:
        row = connection.execute(query, [name]).fetchone()
        if not row or not row[0]:
            return
        if time.monotonic() > until_s:
            raise StillRunningError(f"{row[0]} other(s) are connected to {name}: close them first")
        time.sleep(0.05)


def _exists(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return found.fetchone() is not None


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    """One database of a PostgreSQL server; ``dsn`` is libpq's connection string."""

    dsn: str
    vendor: str = "postgresql"
    kind: str = "dump"

    def __str__(self) -> str:
        words = conninfo_to_dict(self.dsn)
        return f"{words.get('host', 'localhost')}:{words.get('port', 5432)}/{self.name}"

    @property
    def name(self) -> str:
        """The database's name."""
        return str(conninfo_to_dict(self.dsn).get("dbname", ""))

    def called(self, name: str) -> "PostgresDatabase":
        """Return the database ``name`` of the same server and user."""
        return PostgresDatabase(make_conninfo(self.dsn, dbname=name))

    def size_bytes(self) -> int:
        """Return how much room the server uses for it."""
        with connect(self.dsn) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0

    def needed_bytes(self) -> int:
        """Return the room that a backup takes while it is made: the packed file."""
        return self.size_bytes() // 2

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Hold the database still, for the reader alone."""
        with connect(self.dsn) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield Snapshot(connection, self)

    def count_contents(
        self, chunks: Iterable[bytes], scratch: Path, *, tick: Tick = ignore
    ) -> dict[str, int]:
        """Return how many rows of each table a backup's content holds, having read all of it."""
        fit = programs.newest()
        try:
            with programs.restoring_as_text(fit, chunks) as text:
                return _rows_of(text, tick)
        except BackupFailedError as error:
            raise BackupDamagedError(f"the content is no whole dump: {error}") from error

    @contextmanager
    def restored(
        self, chunks: Iterable[bytes], *, scratch: Path | None = None, tick: Tick = ignore
    ) -> Iterator[Beside]:
        """Restore a backup's content into a database beside; what isn't swapped in goes again."""
        beside = self.called(f"{self.name[:40]}_restoring_{uuid.uuid4().hex[:8]}")
        with self.maintained() as connection:
            fit = programs.fit_for(connection.info.server_version // 10_000)
            self._create(connection, beside.name)
        try:
            programs.restore(fit, beside.dsn, chunks, tick=tick)
            yield Beside(beside, self)
        finally:
            with self.maintained() as connection:
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(beside.name)))

    def _create(self, connection: psycopg.Connection, name: str) -> None:
        """Create a database that sorts and encodes text as this one does, where this one exists."""
        create = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
        found = connection.execute(_LOCALE, [self.name]).fetchone()
        if found is not None:
            *usual, provider, locale = found
            how = sql.SQL(" ENCODING {} LC_COLLATE {} LC_CTYPE {}")
            create += how.format(*(sql.Literal(word) for word in usual))
            if provider in _PROVIDERS:
                create += _PROVIDERS[provider].format(sql.Literal(locale))
        try:
            connection.execute(create)
        except psycopg.errors.InsufficientPrivilege as error:
            raise WrongTargetError(f"the role may not create databases: {error}") from error

    def require_free(self) -> None:
        """Make sure that nothing would be overwritten.

        Raises:
            WrongTargetError: the database exists already.
        """
        with self.maintained() as connection:
            if _exists(connection, self.name):
                raise WrongTargetError(f"{self} exists: name a database that doesn't")

    @contextmanager
    def maintained(self) -> Iterator[psycopg.Connection]:
        """Connect to the same server, though not to this database."""
        failed: Exception = WrongSourceError(f"{self}: no database to connect to")
        for name in _MAINTENANCE:
            try:
                connection = connect(self.called(name).dsn, autocommit=True)
            except TransientError as error:
                failed = error
                continue
            with connection:
                yield connection
            return
        raise failed


def _rows_of(text: Iterable[bytes], tick: Tick) -> dict[str, int]:
    """Count the lines of each COPY command in a dump's text."""
    found: dict[str, int] = {}
    table, rows = "", 0
    for number, line in enumerate(text):
        if number % 100_000 == 0:
            tick(0.0)
        if not table:
            if line.startswith(b"COPY "):
                table, rows = _table_of(line.decode()), 0
        elif line == b"\\.\n":
            found[table] = rows
            table = ""
        else:
            rows += 1
    if table:
        raise BackupDamagedError(f"the content ends in the middle of table {table}")
    return found


def _table_of(line: str) -> str:
    """Return the table that a line such as ``COPY public."T" (a, b) FROM stdin;`` fills."""
    name = line.removeprefix("COPY ").partition(" (")[0].partition(" FROM ")[0]
    return name.replace('"', "").removeprefix("public.")
