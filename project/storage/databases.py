"""Which database is meant: the product's own, or one that somebody named."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.conninfo import make_conninfo

from project.storage.adapters.postgres import PostgresDatabase
from project.storage.adapters.sqlite import SqliteDatabase
from project.storage.errors import WrongTargetError

Database = SqliteDatabase | PostgresDatabase

#: Django's names of libpq's words; further words stand in OPTIONS, beside Django's own.
_WORDS: Final = {
    "NAME": "dbname",
    "USER": "user",
    "PASSWORD": "password",
    "HOST": "host",
    "PORT": "port",
}
_LIBPQ: Final = ("sslmode", "sslcert", "sslkey", "sslrootcert", "service", "passfile", "options")
_POSTGRES: Final = ("postgres", "postgresql")


def own() -> Database:
    """Return the database that the product runs on."""
    found: dict[str, Any] = connections[DEFAULT_DB_ALIAS].settings_dict
    if connections[DEFAULT_DB_ALIAS].vendor == "sqlite":
        return SqliteDatabase(Path(str(found["NAME"])))
    words = {word: found[name] for name, word in _WORDS.items() if found.get(name)}
    words |= {word: found["OPTIONS"][word] for word in _LIBPQ if word in found["OPTIONS"]}
    return PostgresDatabase(make_conninfo("", **words))


def named(given: str) -> Database:
    """Return the database that somebody named by URL, or as the path of an SQLite file.

    Raises:
        WrongTargetError: the URL is of another kind of database.
    """
    scheme = urlsplit(given).scheme
    if scheme in _POSTGRES:
        return PostgresDatabase(make_conninfo(given))
    if scheme in {"sqlite", "sqlite3"}:
        return SqliteDatabase(Path(urlsplit(given).path))
    if "://" in given:
        raise WrongTargetError(f"{scheme}: write postgres://… or the path of a file")
    return SqliteDatabase(Path(given).absolute())


def is_own(database: Database) -> bool:
    """Say whether ``database`` is the product's own."""
    mine = own()
    if isinstance(mine, SqliteDatabase) and isinstance(database, SqliteDatabase):
        return mine.path.resolve() == database.path.resolve()
    return mine == database


def let_go() -> None:
    """Close this process's connections to the product's database, so that it can be replaced."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        close_pool = getattr(connection, "close_pool", None)
        if close_pool is not None:
            close_pool()
