"""How candles come into the database: one way in, idempotent, final ones never silently changed.

On SQLite what is stored is read, compared, and the rest written by the raw driver's ``executemany``;
on PostgreSQL rows are staged by binary COPY and compared by one join. Either way only what is new or
differs is written, and final candles that change are logged before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import lt
from typing import Any, Final

import orjson
from django.db import connection, transaction

from markets import partitions
from markets.choices import Source
from markets.rows import Row

#: Rows staged and committed at once; keeps memory flat and other writers' waits short.
CHUNK: Final = 20_000
_STAGE: Final = "candle_stage"
_COLUMNS: Final = "open_time, open, high, low, close, volume, final, trades, quote_volume"
#: First half of the key of the lock that the writers of one series share; any number.
_LOCK: Final = 7_266_002
_PRICES: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the rows.

    Attributes:
        offered: rows given, repeats of a moment counted once.
        inserted: candles that were not there before.
        updated: candles that differed; ``revised`` of them were final.
    """

    offered: int = 0
    inserted: int = 0
    updated: int = 0
    revised: int = 0

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(
            self.offered + other.offered,
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.revised + other.revised,
        )


def upsert_candles(
    *, series_id: int, rows: Iterable[Row], source: Source, now: datetime, chunk: int = CHUNK
) -> Stored:
    """Store candles of one series; the only way in.

    Unchanged rows are not rewritten. A row that isn't final never replaces one that is; a final
    one whose values change goes to the revision log first. Where the new row doesn't tell trades
    or quote volume, the stored ones stay. Of rows with the same moment the last counts.

    Args:
        series_id: whose candles.
        rows: checked rows, on the grid; any number, committed ``chunk`` at a time.
        source: how they came in, for the revision log.
        now: the moment, UTC, for the revision log.
        chunk: rows committed at once.
    """
    total = Stored()
    for part in _chunks(rows, chunk):
        partitions.ensure([row.open_time for row in part])
        with transaction.atomic():
            total += _store(series_id, part, source, now)
    return total


def _chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Yield lists of at most ``size`` rows, ascending, each moment once."""
    left = iter(rows)
    while part := list(islice(left, size)):
        moments = [row[0] for row in part]
        if not all(map(lt, moments, islice(moments, 1, None))):
            part = sorted(dict(zip(moments, part, strict=True)).values())
        yield part


def _store(series_id: int, rows: list[Row], source: Source, now: datetime) -> Stored:
    change = _Change(series_id, rows, source, now)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _store_on_postgres(cursor, change)
        return _store_on_sqlite(cursor, change)


@dataclass(frozen=True, slots=True)
class _Change:
    series_id: int
    rows: list[Row]
    source: Source
    now: datetime

    @property
    def names(self) -> dict[str, Any]:
        """The values that statements name."""
        low, high = self.rows[0].open_time, self.rows[-1].open_time
        return {"series": self.series_id, "low": low, "high": high}


def _store_on_sqlite(cursor: Any, change: _Change) -> Stored:
    """Read what is there, compare, write what differs: nobody else writes in this transaction."""
    rows, found, revised = change.rows, 0, 0
    wanted = rows
    cursor.execute(_ANY, change.names)
    if cursor.fetchone():
        moments = orjson.dumps([row[0] for row in rows]).decode()
        cursor.execute(_READ, [moments, change.series_id])
        stored = cursor.fetchall()
        found = len(stored)
        if stored == rows:
            return Stored(found)
        known = {old[0]: Row(*old) for old in stored}
        wanted = list(_different(rows, known))
        revised = _revise_on_sqlite(cursor, change, known, wanted)
    cursor.executemany(upsert_statement(change.series_id), wanted)
    inserted = len(rows) - found
    return Stored(len(rows), inserted, len(wanted) - inserted, revised)


def _different(rows: list[Row], known: dict[int, Row]) -> Iterator[Row]:
    """Yield the rows that are new, or tell something else and may replace the stored one."""
    for row in rows:
        old = known.get(row.open_time)
        if old is None:
            yield row
        elif row.final or not old.final:
            told = (
                old.trades if row.trades is None else row.trades,
                old.quote_volume if row.quote_volume is None else row.quote_volume,
            )
            if old[:6] != row[:6] or old.final != row.final or old[7:] != told:
                yield row


def _revise_on_sqlite(
    cursor: Any, change: _Change, known: dict[int, Row], wanted: list[Row]
) -> int:
    pairs = ((known[row.open_time], row) for row in wanted if row.open_time in known)
    revisions = [
        (change.series_id, old.open_time, change.now, change.source.value, *old[1:6], *new[1:6])
        for old, new in pairs
        if old.final and old[:6] != new[:6]
    ]
    if revisions:
        marks = ", ".join(["%s"] * len(revisions[0]))
        cursor.executemany(f"{_LOG} VALUES ({marks})", revisions)
    return len(revisions)


def _store_on_postgres(cursor: Any, change: _Change) -> Stored:
    """Stage by COPY, compare by one join in the database, write what differs."""
    rows, names = change.rows, change.names
    # what is compared must not change until it is written; waits for this series' writers only
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, change.series_id])
    _stage_by_copy(cursor, rows)
    cursor.execute(_ANY, names)
    if not cursor.fetchone():
        cursor.execute(_INSERT_ALL, names)
        return Stored(len(rows), len(rows))
    cursor.execute(_COMPARE, names)
    found, changed, revised = (int(value or 0) for value in cursor.fetchone())
    if revised:
        cursor.execute(_REVISE, {**names, "source": change.source.value, "now": change.now})
    if changed or found < len(rows):
        cursor.execute(_INSERT_DIFFERENT, names)
    return Stored(len(rows), len(rows) - found, changed, revised)


def _stage_by_copy(cursor: Any, rows: list[Row]) -> None:
    cursor.execute("SELECT to_regclass(%s)", [f"pg_temp.{_STAGE}"])
    if cursor.fetchone()[0] is None:
        cursor.execute(_MAKE_STAGE_POSTGRES)
    else:
        cursor.execute(f"TRUNCATE {_STAGE}")
    with cursor.copy(f"COPY {_STAGE} ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int8", *["float8"] * 5, "bool", "int8", "float8"])
        for row in rows:
            copy.write_row(row)


def _differ(old: str, new: str) -> str:
    prices = " OR ".join(f"{old}.{name} <> {new}.{name}" for name in _PRICES)
    return f"({prices})"


def _changed(old: str, new: str) -> str:
    """Return the condition that the new row tells something else and may replace the old one."""
    told = " OR ".join(
        f"({new}.{name} IS NOT NULL AND {old}.{name} IS DISTINCT FROM {new}.{name})"
        for name in ("trades", "quote_volume")
    )
    return (
        f"(({new}.final OR NOT {old}.final) AND "
        f"({_differ(old, new)} OR {old}.final <> {new}.final OR {told}))"
    )


_MAKE_STAGE_POSTGRES: Final = (
    f"CREATE TEMP TABLE {_STAGE} (open_time bigint, open float8, high float8, low float8,"
    " close float8, volume float8, final boolean, trades bigint, quote_volume float8)"
    " ON COMMIT DELETE ROWS"
)
#: The bounds let the planner use a range of the key, and pass by other partitions.
_SAME: Final = (
    "c.series_id = %(series)s AND c.open_time = n.open_time"
    " AND c.open_time BETWEEN %(low)s AND %(high)s"
)
_ANY: Final = (
    "SELECT 1 FROM markets_candle c WHERE c.series_id = %(series)s"
    " AND c.open_time BETWEEN %(low)s AND %(high)s LIMIT 1"
)
_READ: Final = (
    "SELECT "  # noqa: S608 -- fixed names
    + ", ".join(f"c.{name}" for name in _COLUMNS.split(", "))
    + " FROM json_each(%s) n CROSS JOIN markets_candle c"
    " ON c.series_id = %s AND c.open_time = n.value"
)
_COMPARE: Final = (
    f"SELECT count(*), sum(CASE WHEN {_changed('c', 'n')} THEN 1 ELSE 0 END),"  # noqa: S608
    f" sum(CASE WHEN c.final AND n.final AND {_differ('c', 'n')} THEN 1 ELSE 0 END)"
    f" FROM {_STAGE} n JOIN markets_candle c ON {_SAME}"
)
_LOG: Final = (
    "INSERT INTO markets_candlerevision (series_id, open_time, seen_at, source,"
    " old_open, old_high, old_low, old_close, old_volume,"
    " new_open, new_high, new_low, new_close, new_volume)"
)
_REVISE: Final = (
    f"{_LOG} SELECT c.series_id, c.open_time, %(now)s, %(source)s,"  # noqa: S608 -- fixed names
    " c.open, c.high, c.low, c.close, c.volume, n.open, n.high, n.low, n.close, n.volume"
    f" FROM {_STAGE} n JOIN markets_candle c ON {_SAME}"
    f" WHERE c.final AND n.final AND {_differ('c', 'n')}"
)
_ON_CONFLICT: Final = (
    " ON CONFLICT (series_id, open_time) DO UPDATE SET"
    " open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,"
    " volume = excluded.volume, final = excluded.final,"
    " trades = coalesce(excluded.trades, markets_candle.trades),"
    " quote_volume = coalesce(excluded.quote_volume, markets_candle.quote_volume)"
    f" WHERE {_changed('markets_candle', 'excluded')}"
)
_INTO: Final = f"INSERT INTO markets_candle (series_id, {_COLUMNS}) SELECT %(series)s, "
_NEW: Final = ", ".join(f"n.{name}" for name in _COLUMNS.split(", "))
_INSERT_ALL: Final = f"{_INTO}{_NEW} FROM {_STAGE} n WHERE true ORDER BY n.open_time{_ON_CONFLICT}"
_INSERT_DIFFERENT: Final = (
    f"{_INTO}{_NEW} FROM {_STAGE} n LEFT JOIN markets_candle c ON {_SAME}"
    f" WHERE c.open_time IS NULL OR {_changed('c', 'n')} ORDER BY n.open_time{_ON_CONFLICT}"
)


def upsert_statement(series_id: int) -> str:
    """Return the statement that stores one ``Row``; SQLite takes the rows as they are."""
    marks = ", ".join(["%s"] * len(Row._fields))
    return (
        f"INSERT INTO markets_candle (series_id, {_COLUMNS})"  # noqa: S608 -- a number
        f" VALUES ({int(series_id)}, {marks}){_ON_CONFLICT}"
    )
