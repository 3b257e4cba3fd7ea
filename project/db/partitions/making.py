"""Which pieces a table has: made when needed or ahead of time, dropped when too old.

On SQLite there are none: making does nothing, dropping deletes rows.
"""

from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection, transaction

from project.db.partitions import hypertables
from project.db.partitions.tables import TimeTable, month_ms, month_of

#: Serialises rivals that want the same piece; any number that nothing else uses.
_LOCK: Final = 7_266_001
#: Rows deleted at once where there are no pieces to drop.
_PORTION: Final = 10_000
_known: set[tuple[str, str, int]] = set()


def ensure(table: TimeTable, start_ms: int, end_ms: int) -> None:
    """Make the pieces that rows in ``[start_ms, end_ms)`` go to; what this process made is known.

    Call it outside of the transaction that writes the rows: attaching a piece locks more than a
    row, and what is made inside a transaction goes when that is rolled back.
    """
    if connection.vendor != "postgresql":
        return
    name = str(connection.settings_dict["NAME"])
    for month in range(month_of(start_ms), month_of(max(start_ms, end_ms - 1)) + 1):
        if (name, table.name, month) in _known:
            continue
        outer = connection.in_atomic_block
        with connection.cursor() as cursor:
            if is_in_pieces(cursor, table):
                make(cursor, table, month)
        if not outer:
            _known.add((name, table.name, month))


def make(cursor: Any, table: TimeTable, month: int) -> bool:
    """Make the piece of one month; say whether it was not there before."""
    piece = table.piece(month)
    if _is_there(cursor, piece):
        return False
    with transaction.atomic():
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if _is_there(cursor, piece):
            return False
        # attaching, unlike CREATE … PARTITION OF, lets readers and writers go on
        cursor.execute(
            f'CREATE TABLE "{piece}" (LIKE "{table.name}" INCLUDING ALL EXCLUDING IDENTITY)'
        )
        cursor.execute(
            f'ALTER TABLE "{table.name}" ATTACH PARTITION "{piece}" FOR VALUES'
            f" FROM ({table.literal(month_ms(month))}) TO ({table.literal(month_ms(month + 1))})"
        )
    return True


def pieces(table: TimeTable) -> list[str]:
    """Return the names of a table's pieces; none on SQLite, or where TimescaleDB has it."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace"
            " WHERE p.relname = %s AND p.relkind = 'p' AND n.nspname = current_schema() ORDER BY 1",
            [table.name],
        )
        return [str(row[0]) for row in cursor.fetchall()]


def drop_before(table: TimeTable, before_ms: int) -> tuple[int, int]:
    """Forget rows that are older than a moment.

    Whole pieces are dropped, which costs nothing however many rows they hold; what is left of the
    month is deleted in short statements, so that other writers wait for none of them long.

    Returns:
        How many pieces were dropped, and how many rows deleted besides.
    """
    dropped = 0
    if connection.vendor == "postgresql":
        dropped = _drop_chunks(table, before_ms) + _drop_pieces(table, before_ms)
        for month in range(month_of(before_ms)):
            _known.discard((str(connection.settings_dict["NAME"]), table.name, month))
    deleted = 0
    while count := _delete_some(table, before_ms):
        deleted += count
    return dropped, deleted


def _drop_pieces(table: TimeTable, before_ms: int) -> int:
    old = [
        piece
        for piece in pieces(table)
        if (month := table.month_of_piece(piece)) is not None and month_ms(month + 1) <= before_ms
    ]
    for piece in old:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            cursor.execute(f'DROP TABLE IF EXISTS "{piece}"')
    return len(old)


def _drop_chunks(table: TimeTable, before_ms: int) -> int:
    with connection.cursor() as cursor:
        if not hypertables.is_one(cursor, table):
            return 0
        cursor.execute(hypertables.drop_statement(table, before_ms))
        return len(cursor.fetchall())


def _delete_some(table: TimeTable, before_ms: int) -> int:
    """Delete the oldest rows, about ``_PORTION`` of them; return how many."""
    name, column, before = f'"{table.name}"', f'"{table.column}"', _value(table, before_ms)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {column} FROM {name} WHERE {column} < %s"  # noqa: S608 -- our own names
            f" ORDER BY {column} LIMIT 1 OFFSET {_PORTION - 1}",
            [before],
        )
        row = cursor.fetchone()
        until = ("<=", row[0]) if row else ("<", before)
        cursor.execute(f"DELETE FROM {name} WHERE {column} {until[0]} %s", [until[1]])  # noqa: S608
        return int(cursor.rowcount)


def _value(table: TimeTable, moment_ms: int) -> Any:
    """Return a moment as a parameter of a statement."""
    if not table.is_moment:
        return moment_ms
    moment = datetime.fromtimestamp(moment_ms / 1000, tz=UTC)
    return connection.ops.adapt_datetimefield_value(moment)


def is_in_pieces(cursor: Any, table: TimeTable) -> bool:
    """Say whether PostgreSQL itself keeps the table in pieces."""
    cursor.execute(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relname = %s AND c.relkind = 'p' AND n.nspname = current_schema()",
        [table.name],
    )
    return cursor.fetchone() is not None


def _is_there(cursor: Any, piece: str) -> bool:
    # not to_regclass(): its cache may not know yet what a rival has just committed
    cursor.execute(
        "SELECT 1 FROM pg_tables WHERE tablename = %s AND schemaname = current_schema()", [piece]
    )
    return cursor.fetchone() is not None
