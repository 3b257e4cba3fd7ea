"""Days of a series counted and scored: what is stored, what is missing, what was found.

A day that changes is marked; whoever checks next counts the marked days again, whichever way
their candles came in.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Max, Min, Sum

from markets import partitions, scoring, timeframes
from markets.choices import LASTING, FindingKind, GapReason, GapState
from markets.models import Candle, Finding, Gap, QualitySummary, Series
from markets.timeframes import DAY_MS, Timeframe

#: Days that each check counts anew, marked or not.
DAYS: Final = 2
#: Marked days that one check of a series counts at most; the newest first, the rest later.
MOST_DAYS: Final = 1_000
#: The column of a day's row in which a kind of finding is counted.
COLUMN_OF: Final[Mapping[str, str]] = {
    FindingKind.DUPLICATE: "duplicate",
    FindingKind.OUT_OF_ORDER: "out_of_order",
    FindingKind.MISALIGNED: "misaligned",
    FindingKind.NOT_A_NUMBER: "bad_value",
    FindingKind.BAD_VALUE: "bad_value",
    FindingKind.BAD_OHLC: "bad_ohlc",
    FindingKind.PRICE_JUMP: "price_jumps",
    FindingKind.VOLUME_ANOMALY: "volume_anomalies",
    FindingKind.FLAT_LINE: "flat",
    FindingKind.STALLED: "stalled",
}
COLUMNS: Final = tuple(dict.fromkeys(COLUMN_OF.values()))
#: Reasons for which nothing is missing: there never was a candle.
NEVER_THERE: Final = (
    GapReason.PRE_LISTING,
    GapReason.DELISTED,
    GapReason.CALENDAR,
    GapReason.MARKED_BY_STAFF,
)


def mark(series_id: int, start_ms: int, end_ms: int) -> None:
    """Note that candles or findings of ``[start_ms, end_ms)`` changed: their days are stale."""
    first, last = start_ms // DAY_MS * DAY_MS, (max(start_ms, end_ms - 1)) // DAY_MS * DAY_MS
    days = range(first, last + 1, DAY_MS)
    rows = QualitySummary.objects.filter(
        series_id=series_id, start_ms__gte=first, start_ms__lte=last
    )
    if rows.filter(is_stale=True).count() == len(days):
        return
    if rows.count() < len(days):
        partitions.ensure_summaries(first, last + DAY_MS)
        new = [
            QualitySummary(series_id=series_id, start_ms=day, end_ms=day + DAY_MS, is_stale=True)
            for day in days
        ]
        QualitySummary.objects.bulk_create(new, ignore_conflicts=True)
    QualitySummary.objects.filter(
        series_id=series_id, start_ms__gte=first, start_ms__lte=last, is_stale=False
    ).update(is_stale=True)


def recount(series: Series, *, now: datetime, is_sparse: bool = False, days: int = DAYS) -> int:
    """Count the last ``days`` days of a series and those that are marked; return how many.

    Args:
        series: whose days.
        now: the moment, UTC.
        is_sparse: candles that are proven to have had no trade are not missing.
        days: how many of the last days that have candles are counted whether marked or not.
    """
    grid = timeframes.of(series.timeframe)
    ends = Candle.objects.filter(series=series).aggregate(
        first=Min("open_time"), last=Max("open_time")
    )
    if ends["last"] is None:
        return 0
    first, last = ends["first"] // DAY_MS * DAY_MS, ends["last"] // DAY_MS * DAY_MS
    stale = QualitySummary.objects.filter(series=series, is_stale=True).order_by("-start_ms")
    wanted = set(stale.values_list("start_ms", flat=True)[:MOST_DAYS])
    wanted |= set(range(max(first, last - (days - 1) * DAY_MS), last + 1, DAY_MS))
    spans = {day: _span(grid, day, ends) for day in wanted}
    facts = _Facts(series, grid, sorted(wanted), is_sparse=is_sparse)
    rows = [
        QualitySummary(
            series=series,
            start_ms=day,
            end_ms=day + DAY_MS,
            computed_at=now,
            **facts.of(day, spans[day]),
        )
        for day in sorted(wanted)
    ]
    # marked days have their rows; only the last ones may be the first of their month
    partitions.ensure_summaries(max(first, last - (days - 1) * DAY_MS), last + DAY_MS)
    QualitySummary.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["series", "start_ms"],
        update_fields=[*_COUNTED, "score", "computed_at", "is_stale"],
    )
    return len(rows)


_COUNTED: Final = ("expected", "stored", "missing", "excused", *COLUMNS)


def _span(grid: Timeframe, day: int, ends: Mapping[str, int]) -> tuple[int, int]:
    """Return the part of a day in which candles are expected: between the first and the last."""
    return grid.ceil(max(day, ends["first"])), grid.ceil(min(day + DAY_MS, ends["last"] + 1))


class _Facts:
    """What there is to count in some days of a series, read by a few set-based queries."""

    def __init__(
        self, series: Series, grid: Timeframe, days: Sequence[int], *, is_sparse: bool
    ) -> None:
        self._grid = grid
        self._stored = _stored_by_day(series, days)
        self._found = _found_by_day(series, days, grid)
        self._excused = _excused_by_day(series, days, grid, is_sparse=is_sparse)

    def of(self, day: int, span: tuple[int, int]) -> dict[str, Any]:
        """Return the columns of a day's row."""
        expected = self._grid.count(*span)
        stored = self._stored.get(day, 0)
        absent = max(0, expected - stored)
        excused = min(absent, self._excused.get(day, 0))
        counts = {**dict.fromkeys(COLUMNS, 0), **self._found.get(day, {})}
        counts["missing"] = absent - excused
        score = scoring.calculate_quality_score(counts, expected=expected)
        told = {"expected": expected, "stored": stored, "excused": excused}
        return {**told, **counts, "score": score}


def _stored_by_day(series: Series, days: Sequence[int]) -> dict[int, int]:
    """Return how many candles each day has, by one query over the days from first to last."""
    low, high = days[0], days[-1] + DAY_MS
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT open_time / %s AS day, count(*) FROM markets_candle"
            " WHERE series_id = %s AND open_time >= %s AND open_time < %s GROUP BY 1",
            [DAY_MS, series.pk, low, high],
        )
        return {int(day) * DAY_MS: int(count) for day, count in cursor.fetchall()}


def _found_by_day(series: Series, days: Sequence[int], grid: Timeframe) -> dict[int, Counter[str]]:
    """Return the findings that count of each day, by column."""
    low, high = days[0], days[-1] + DAY_MS
    counts: dict[int, Counter[str]] = {}
    rows = Finding.objects.unsettled().filter(series=series, kind__in=list(COLUMN_OF))
    rows = rows.touching(low, high)
    single = rows.exclude(kind__in=LASTING).order_by()
    for start, kind, count in single.values_list("start_ms", "kind").annotate(n=Sum("count")):
        counts.setdefault(start // DAY_MS * DAY_MS, Counter())[COLUMN_OF[kind]] += count
    lasting = rows.filter(kind__in=LASTING).values_list("kind", "start_ms", "end_ms")
    for kind, start, end in lasting:
        for day, candles in _by_day(start, end, grid, (low, high)):
            counts.setdefault(day, Counter())[COLUMN_OF[kind]] += candles
    return counts


def _excused_by_day(
    series: Series, days: Sequence[int], grid: Timeframe, *, is_sparse: bool
) -> Counter[int]:
    """Return how many candles of each day are known never to have been there."""
    low, high = days[0], days[-1] + DAY_MS
    known = Gap.objects.filter(series=series, state=GapState.UNAVAILABLE).touching(low, high)
    reasons = [*NEVER_THERE, *([GapReason.NO_TRADES] if is_sparse else [])]
    found: Counter[int] = Counter()
    for start, end in known.filter(reason__in=reasons).values_list("start_ms", "end_ms"):
        for day, candles in _by_day(start, end, grid, (low, high)):
            found[day] += candles
    return found


def _by_day(
    start_ms: int, end_ms: int, grid: Timeframe, within: tuple[int, int]
) -> Iterable[tuple[int, int]]:
    """Yield the days of a range with how many of its candles each has."""
    low, high = max(start_ms, within[0]), min(end_ms, within[1])
    for day in range(low // DAY_MS * DAY_MS, high, DAY_MS):
        count = grid.count(grid.ceil(max(low, day)), grid.ceil(min(high, day + DAY_MS)))
        if count:
            yield day, count
