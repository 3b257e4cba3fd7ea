"""Which partitions of the candle table there are on PostgreSQL: one a month, made when needed.

SQLite has none: there every function here does nothing.
"""

from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection, transaction

TABLE: Final = "markets_candle"
#: Serialises rivals that want the same partition; any number that nothing else uses.
_LOCK: Final = 7_266_001
_known: set[tuple[str, int]] = set()


def ensure(start_ms: int, end_ms: int) -> None:
    """Make the partitions that candles in ``[start_ms, end_ms)`` go to.

    Call it outside of the transaction that writes the candles: attaching a partition locks more
    than a row, and what is made inside a transaction goes when that is rolled back.
    """
    if connection.vendor != "postgresql":
        return
    name = str(connection.settings_dict["NAME"])
    for month in range(_month(start_ms), _month(max(start_ms, end_ms - 1)) + 1):
        if (name, month) in _known:
            continue
        outer = connection.in_atomic_block
        _make(month)
        if not outer:
            _known.add((name, month))


def _month(moment_ms: int) -> int:
    day = datetime.fromtimestamp(moment_ms / 1000, tz=UTC)
    return day.year * 12 + day.month - 1


def _month_ms(month: int) -> int:
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000


def _make(month: int) -> None:
    part = f"{TABLE}_{month // 12:04d}_{month % 12 + 1:02d}"
    with connection.cursor() as cursor:
        if _is_there(cursor, part):
            return
        with transaction.atomic():
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            if _is_there(cursor, part):
                return
            # attaching, unlike CREATE … PARTITION OF, lets readers and writers go on
            cursor.execute(f'CREATE TABLE "{part}" (LIKE "{TABLE}" INCLUDING ALL)')
            cursor.execute(
                f'ALTER TABLE "{TABLE}" ATTACH PARTITION "{part}" FOR VALUES FROM (%s) TO (%s)',
                [_month_ms(month), _month_ms(month + 1)],
            )


def _is_there(cursor: Any, part: str) -> bool:
    # not to_regclass(): its cache may not know yet what a rival has just committed
    cursor.execute("SELECT 1 FROM pg_tables WHERE tablename = %s", [part])
    return cursor.fetchone() is not None
