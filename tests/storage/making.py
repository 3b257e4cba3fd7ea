"""Databases, files and listeners that the tests of storage use."""

import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from project.storage import shelf
from project.storage.adapters.postgres import PostgresDatabase
from project.storage.adapters.sqlite import SqliteDatabase
from project.storage.models import Backup

ROWS = 500


@dataclass
class Heard:
    """A ``Progress`` that remembers, and stops the work in a phase when asked to."""

    stop_in: str = ""
    phases: list[str] = field(default_factory=list)
    percents: list[float] = field(default_factory=list)
    partial: str = ""

    def report(
        self,
        *,
        phase: str | None = None,
        progress: float | None = None,
        counts: dict[str, Any] | None = None,
    ) -> None:
        if phase is not None:
            self.phases.append(phase)
        if progress is not None:
            self.percents.append(progress)
        if self.stop_in and self.phases and self.phases[-1] == self.stop_in:
            raise StoppedError

    def leave_partial(self, message: str) -> None:
        self.partial = message


class StoppedError(Exception):
    """What a canceled run's report raises."""


def make_sqlite(path: Path, *, rows: int = ROWS) -> SqliteDatabase:
    """Make a small database with the kinds of table that the product has."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(
            """
            CREATE TABLE "note" (id integer PRIMARY KEY AUTOINCREMENT, words text, raw blob);
            CREATE TABLE "candle" (series integer, at integer, price real,
                PRIMARY KEY (series, at)) WITHOUT ROWID;
            CREATE TABLE "from" (id integer PRIMARY KEY);
            """
        )
        database.executemany(
            "INSERT INTO note (words, raw) VALUES (?, ?)",
            [(f"wörds {n}\n\\", bytes([n % 256])) for n in range(rows)],
        )
        database.executemany(
            "INSERT INTO candle VALUES (?, ?, ?)", [(n % 3, n, n / 7) for n in range(rows)]
        )
        database.commit()
    return SqliteDatabase(path)


def make_postgres(url: str, *, rows: int = ROWS) -> PostgresDatabase:
    """Make a small database on the server at ``url``."""
    name = f"storage_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    dsn = make_conninfo(url, dbname=name)
    with psycopg.connect(dsn) as database:
        database.execute("CREATE TABLE note (id bigserial PRIMARY KEY, words text, raw bytea)")
        database.execute(
            "CREATE TABLE candle (series int, at bigint, price float8, PRIMARY KEY (series, at))"
            " PARTITION BY RANGE (at)"
        )
        database.execute("CREATE TABLE candle_1 PARTITION OF candle FOR VALUES FROM (0) TO (100)")
        database.execute(
            "CREATE TABLE candle_2 PARTITION OF candle FOR VALUES FROM (100) TO (10000000)"
        )
        database.execute('CREATE TABLE "from" (id bigint)')
        database.execute(
            "INSERT INTO note (words, raw) SELECT E'w\u00f6rds\\n\\\\' || n, '\\x01' "
            "FROM generate_series(1, %s) n",
            [rows],
        )
        database.execute(
            "INSERT INTO candle SELECT n %% 3, n, n / 7.0 FROM generate_series(0, %s - 1) n", [rows]
        )
    return PostgresDatabase(dsn)


def at(server: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def drop_postgres(database: PostgresDatabase) -> None:
    """Drop a database and those that were kept or made beside it."""
    name = str(conninfo_to_dict(database.dsn)["dbname"])
    with database.maintained() as server:
        rows = server.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{name}%"]
        ).fetchall()
        for (found,) in rows:
            server.execute(f'DROP DATABASE "{found}" WITH (FORCE)')


def facts_of(database: SqliteDatabase | PostgresDatabase) -> tuple[dict[str, int], dict[str, str]]:
    """Return counts and sums of a database as it is now."""
    with database.snapshot() as snapshot:
        return snapshot.counts(), snapshot.checksums()


def make_file(backup: Backup, content: bytes = b"0123456789") -> Path:
    """Put a file that fits the row into the folder, with what stands beside it."""
    from hashlib import sha256

    facts = shelf.Facts(
        file=backup.file,
        database=backup.database,
        made_at=backup.made_at,
        size_bytes=len(content),
        content_bytes=100,
        sha256=sha256(content).hexdigest(),
        took_s=1.0,
        version="1",
        counts={"note": 1},
    )
    with shelf.draft() as folder:
        (folder / backup.file).write_bytes(content)
        path = shelf.place(folder / backup.file, facts)
    Backup.objects.filter(pk=backup.pk).update(sha256=facts.sha256)
    return path
