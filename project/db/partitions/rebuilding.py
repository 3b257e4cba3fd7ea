"""How a table that Django made becomes one in pieces, and back: rows, keys and indexes stay."""

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from project.db.partitions import hypertables, making
from project.db.partitions.tables import TimeTable, month_of

#: Constraints of the table itself; NOT NULL and CHECK are copied by LIKE.
_CONSTRAINTS: Final = """
    SELECT k.conname, k.contype::text, pg_get_constraintdef(k.oid),
           ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS w(number, place)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = w.number
                 ORDER BY w.place)
    FROM pg_constraint k WHERE k.conrelid = %s::regclass AND k.contype IN ('p', 'u', 'f')
    ORDER BY k.contype, k.conname
"""
_INDEXES: Final = """
    SELECT x.relname, i.indisunique, pg_get_indexdef(i.indexrelid),
           ARRAY(SELECT a.attname::text FROM pg_attribute a
                 WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey))
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = %s::regclass
    AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid
                    AND k.conrelid = i.indrelid) ORDER BY 1
"""
_REFERRED: Final = (
    "SELECT conrelid::regclass::text FROM pg_constraint"
    " WHERE confrelid = %s::regclass AND contype = 'f' AND conparentid = 0"
)


class UnfitTableError(ValueError):
    """The table can't be kept in pieces: a unique constraint leaves its time out, or others point to it."""


@dataclass(frozen=True, slots=True)
class _Extras:
    """What LIKE does not copy: statements that make it anew."""

    statements: list[str]
    identities: list[str]


def into_pieces(cursor: Any, table: TimeTable) -> str:
    """Make a table one in pieces of time: TimescaleDB's where the extension is there, else months.

    All rows are copied, so it takes as long as the table is large, and nobody else reads it
    meanwhile. A primary key that leaves the column out gets it; for Django it stays what it was.

    Returns:
        ``hypertable``, ``months``, or empty where there was nothing to do.

    Raises:
        UnfitTableError: a unique constraint leaves the column out, or other tables refer to it.
    """
    if connection.vendor != "postgresql":
        return ""
    if hypertables.is_installed(cursor):
        if hypertables.is_one(cursor, table):
            return ""
        _rebuild(cursor, table, partitioned=False, then=hypertables.statements(table))
        return "hypertable"
    if making.is_in_pieces(cursor, table):
        return ""
    _rebuild(cursor, table, partitioned=True)
    return "months"


def into_one(cursor: Any, table: TimeTable) -> None:
    """Make a table in pieces one plain table again."""
    if connection.vendor == "postgresql" and (
        making.is_in_pieces(cursor, table) or hypertables.is_one(cursor, table)
    ):
        _rebuild(cursor, table, partitioned=False)


def _rebuild(
    cursor: Any, table: TimeTable, *, partitioned: bool, then: list[str] | None = None
) -> None:
    name, old = f'"{table.name}"', f'"{table.name}_before"'
    cursor.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
    extras = _extras(cursor, table)
    tail = f' PARTITION BY RANGE ("{table.column}")' if partitioned else ""
    cursor.execute(f'ALTER TABLE {name} RENAME TO "{table.name}_before"')
    cursor.execute(
        f"CREATE TABLE {name} (LIKE {old} INCLUDING DEFAULTS INCLUDING CONSTRAINTS"
        f" INCLUDING IDENTITY INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMMENTS){tail}"
    )
    for statement in then or ():
        cursor.execute(statement)
    if partitioned:
        for month in _months(cursor, table, old):
            making.make(cursor, table, month)
    cursor.execute(f"INSERT INTO {name} SELECT * FROM {old}")  # noqa: S608 -- our own names
    for column in extras.identities:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence(%s, %s), greatest(1,"
            " (SELECT nextval(pg_get_serial_sequence(%s, %s)))), false)",
            [name, column, old, column],
        )
    cursor.execute(f"DROP TABLE {old} CASCADE")
    for statement in extras.statements:
        cursor.execute(statement)


def _months(cursor: Any, table: TimeTable, old: str) -> list[int]:
    """Return the months in which there are rows."""
    column = f'"{table.column}"'
    moment = column if table.is_moment else f"to_timestamp({column} / 1000.0)"
    cursor.execute(
        "SELECT DISTINCT (extract(epoch FROM date_trunc('month', "  # noqa: S608 -- our own names
        f"{moment} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') * 1000)::bigint FROM {old} ORDER BY 1"
    )
    return [month_of(int(row[0])) for row in cursor.fetchall()]


def _extras(cursor: Any, table: TimeTable) -> _Extras:
    name = f'"{table.name}"'
    cursor.execute(_REFERRED, [name])
    if others := sorted({str(row[0]) for row in cursor.fetchall()}):
        raise UnfitTableError(f"{table.name} is referred to by {', '.join(others)}")
    found: list[str] = []
    cursor.execute(_CONSTRAINTS, [name])
    for own, kind, definition, columns in cursor.fetchall():
        if kind == "u":
            _require_column(table, own, columns)
        added = definition
        if kind == "p" and table.column not in columns:
            keys = ", ".join(f'"{column}"' for column in (*columns, table.column))
            added = f"PRIMARY KEY ({keys})"
        found.append(f'ALTER TABLE {name} ADD CONSTRAINT "{own}" {added}')
    cursor.execute(_INDEXES, [name])
    for own, is_unique, definition, columns in cursor.fetchall():
        if is_unique:
            _require_column(table, own, columns)
        found.append(definition.replace(" ON ONLY ", " ON "))
    cursor.execute(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass"
        " AND attidentity <> '' AND NOT attisdropped",
        [name],
    )
    return _Extras(found, [str(row[0]) for row in cursor.fetchall()])


def _require_column(table: TimeTable, own: str, columns: list[str]) -> None:
    if table.column not in columns:
        raise UnfitTableError(
            f"{own} of {table.name} must contain {table.column}: a table in pieces can't keep"
            " rows apart that lie in two of them"
        )
