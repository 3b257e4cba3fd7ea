"""Which of the app's tables PostgreSQL keeps in pieces of time, and that those are there in time.

SQLite has none: there every function here does nothing. The mechanism is ``project.db.partitions``.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connection
from django.utils import timezone

from project.core.moments import to_ms
from project.core.working import Work
from project.db.partitions import TimeTable, making
from project.db.partitions.tables import month_ms, month_of

CANDLES: Final = TimeTable("markets_candle", "open_time", segment_by="series_id")
SUMMARIES: Final = TimeTable("markets_qualitysummary", "start_ms", segment_by="series_id")
ERRORS: Final = TimeTable("markets_apierrorlog", "happened_ms")
#: All of them; a table that is added here gets its months ahead of time.
TABLES: Final = (CANDLES, SUMMARIES, ERRORS)
#: Months made before they begin: a beat that stands still for so long does no harm.
AHEAD: Final = 3


def ensure(moments: Sequence[int]) -> None:
    """Make the partitions that candles of ``moments`` and their days' rows go to, and no others.

    Call it outside of the transaction that writes the candles: attaching a partition locks more
    than a row, and what is made inside a transaction goes when that is rolled back.

    Args:
        moments: open times, milliseconds, ascending. Between two of them may lie decades: one
            wrong line of a file must not make hundreds of partitions.
    """
    at = 0
    while at < len(moments):
        month = month_of(moments[at])
        for table in (CANDLES, SUMMARIES):
            making.ensure(table, month_ms(month), month_ms(month + 1))
        at = bisect_left(moments, month_ms(month + 1), lo=at)


def ensure_summaries(start_ms: int, end_ms: int) -> None:
    """Make the partitions that quality summaries beginning in ``[start_ms, end_ms)`` go to."""
    making.ensure(SUMMARIES, start_ms, end_ms)


def ensure_errors(start_ms: int, end_ms: int) -> None:
    """Make the partitions that failures which happened in ``[start_ms, end_ms)`` go to."""
    making.ensure(ERRORS, start_ms, end_ms)


def make_ahead(*, now: datetime) -> list[str]:
    """Make for every table the pieces of this month and the ``AHEAD`` next ones.

    Returns:
        Names of those that were not there before.
    """
    month, made = month_of(to_ms(now)), []
    for table in TABLES:
        before = set(making.pieces(table))
        making.ensure(table, month_ms(month), month_ms(month + AHEAD + 1))
        made += sorted({*making.pieces(table)} - before)
    return made


def run(work: Work) -> None:
    """Do a run of ``markets.partition``."""
    made = make_ahead(now=timezone.now())
    there = sum(len(making.pieces(table)) for table in TABLES)
    work.report(phase="done", progress=100, counts={"made": len(made), "partitions": there})
    if connection.vendor != "postgresql":
        work.event("log", {"message": "SQLite keeps each table in one piece: nothing to make"})
