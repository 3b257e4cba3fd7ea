"""How statements by hand reach the database: those that every lease waits for."""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from django.db import connection
from psycopg import Cursor

Row = tuple[Any, ...]
_NAMED: Final = re.compile(r"%\((\w+)\)s")


def is_postgres() -> bool:
    """Say whether the database is PostgreSQL; else it is SQLite."""
    return bool(connection.vendor == "postgresql")


def moment(value: datetime) -> Any:
    """Return a moment as the database at hand stores it."""
    return connection.ops.adapt_datetimefield_value(value)


def token(value: uuid.UUID) -> Any:
    """Return a token as the database at hand stores it."""
    return value if is_postgres() else value.hex


def json_of(value: Any) -> Any:
    """Return what a column of JSON holds: SQLite's is text, and Django lets psycopg's be text."""
    return json.loads(value) if isinstance(value, str) else value


def one(statement: str, values: Mapping[str, Any]) -> Row | None:
    """Run a statement with named parameters, ``%(name)s``; return its first row, if any."""
    with _run(statement, values) as cursor:
        found: Row | None = cursor.fetchone()
        return found


def every(statement: str, values: Mapping[str, Any]) -> list[Row]:
    """Run a statement; return all its rows."""
    with _run(statement, values) as cursor:
        found: list[Row] = cursor.fetchall()
        return found


def change(statement: str, values: Mapping[str, Any]) -> int:
    """Run a statement that returns nothing; return how many rows it changed."""
    with _run(statement, values) as cursor:
        return int(cursor.rowcount)


@contextmanager
def _run(statement: str, values: Mapping[str, Any]) -> Iterator[Any]:
    """Run a statement on the driver itself; yield what has its rows.

    PostgreSQL plans it once per connection: planning takes longer than most of them. A write of
    SQLite outside a transaction waits for its turn, which is in Django's cursor.
    """
    if not is_postgres() and not (connection.in_atomic_block or statement.startswith("SELECT")):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            yield cursor
        return
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    driver: Any = connection.connection
    with connection.wrap_database_errors:
        if is_postgres():
            raw: Any = Cursor(driver)
            raw.execute(statement, values, prepare=True)
        else:
            raw = driver.execute(_for_sqlite(statement), values)
    try:
        yield raw
    finally:
        raw.close()


@lru_cache(maxsize=512)
def _for_sqlite(statement: str) -> str:
    return _NAMED.sub(r":\1", statement)
