"""How statements by hand reach the database: those that every lease waits for."""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import Cursor

Row = tuple[Any, ...]
_NAMED: Final = re.compile(r"%\((\w+)\)s")


@cache
def is_postgres() -> bool:
    """Say whether the database is PostgreSQL; else it is SQLite. A process has one all its life."""
    return bool(connections[DEFAULT_DB_ALIAS].vendor == "postgresql")


def moment(value: datetime) -> Any:
    """Return a moment as the database at hand stores it."""
    if is_postgres():
        return value
    at_zero = value if value.tzinfo is UTC else value.astimezone(UTC)
    return str(at_zero.replace(tzinfo=None))


def token(value: uuid.UUID) -> Any:
    """Return a token as the database at hand stores it."""
    return value if is_postgres() else value.hex


def json_of(value: Any) -> Any:
    """Return what a column of JSON holds: SQLite's is text, and Django lets psycopg's be text."""
    return json.loads(value) if isinstance(value, str) else value


def one(statement: str, values: Mapping[str, Any]) -> Row | None:
    """Run a statement with named parameters, ``%(name)s``; return its first row, if any."""
    cursor = _run(statement, values)
    found: Row | None = cursor.fetchone()
    cursor.close()
    return found


def every(statement: str, values: Mapping[str, Any]) -> list[Row]:
    """Run a statement; return all its rows."""
    cursor = _run(statement, values)
    found: list[Row] = cursor.fetchall()
    cursor.close()
    return found


def change(statement: str, values: Mapping[str, Any]) -> int:
    """Run a statement that returns nothing; return how many rows it changed."""
    cursor = _run(statement, values)
    changed = int(cursor.rowcount)
    cursor.close()
    return changed


def _run(statement: str, values: Mapping[str, Any]) -> Any:
    """Run a statement on the driver itself; return what has its rows.

    PostgreSQL plans it once per connection: planning takes longer than most of them. A write of
    SQLite outside a transaction waits for its turn, which is in Django's cursor.
    """
    here: Any = connections[DEFAULT_DB_ALIAS]
    has_turn = is_postgres() or here.in_atomic_block or statement.startswith("SELECT")
    if not has_turn:
        cursor = here.cursor()
        cursor.execute(statement, values)
        return cursor
    if here.connection is None:
        here.ensure_connection()
    if here.needs_rollback:
        here.validate_no_broken_transaction()
    try:
        if is_postgres():
            return Cursor(here.connection).execute(statement, values, prepare=True)
        return here.connection.execute(for_sqlite(statement), values)
    except Exception:
        with here.wrap_database_errors:
            raise


@lru_cache(maxsize=512)
def for_sqlite(statement: str) -> str:
    """Return a statement as SQLite takes it.

    The ``+`` changes no value and hides it from the planner: it would plan the statement anew for
    each value, by its samples of the tables, which takes longer than to run it.
    """
    return _NAMED.sub(r"(+:\1)", statement)
