"""How good the series were lately: the report, the heat map, and why a series has its score."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Avg, Count, Q, Sum

from markets import scoring, summarising, timeframes
from markets.choices import GapReason
from markets.models import Gap, QualitySummary, Series
from markets.timeframes import DAY_MS
from project.core.moments import to_ms

#: Orders of the report: worst first, best first.
ORDERS: Final = ("avg_score", "-avg_score")
#: At most so many hours of the past; a year.
MOST_HOURS: Final = 24 * 366


@dataclass(frozen=True, slots=True)
class Line:
    """One series of the report."""

    series: Series
    avg_score: float
    total_missing: int
    days: int


def scored(*, hours: int, now: datetime) -> Any:
    """Return the queryset of series that have a day which touches the last ``hours``.

    Each has ``avg_score``, the mean of those days' scores, ``day_missing``, their sum of missing
    candles, and ``days``. Order them as you like; ``lines`` makes the report's lines of them.
    """
    low, high = to_ms(now - timedelta(hours=hours)), to_ms(now)
    within = Q(summaries__end_ms__gt=low, summaries__start_ms__lt=high)
    within &= Q(summaries__expected__gt=0)
    return (
        Series.objects.select_related("market__exchange")
        .filter(within)
        .annotate(
            avg_score=Avg("summaries__score"),
            day_missing=Sum("summaries__missing"),
            days=Count("summaries"),
        )
    )


def lines(series: Sequence[Any], *, hours: int, now: datetime) -> list[Line]:
    """Return the report's lines of some of ``scored``'s series, by one query more.

    Days are counted whole; what is missing before the first moment of the window is taken off.
    """
    low = to_ms(now - timedelta(hours=hours))
    before = _missing_in(series, low // DAY_MS * DAY_MS, low)
    return [
        Line(one, one.avg_score, max(0, one.day_missing - before[one.pk]), one.days)
        for one in series
    ]


def _missing_in(series: Iterable[Series], start_ms: int, end_ms: int) -> Counter[int]:
    """Return how many candles of each series are missing in a range, by the ledger of gaps."""
    grids = {one.pk: timeframes.of(one.timeframe) for one in series}
    never = [*summarising.NEVER_THERE, GapReason.NO_TRADES]
    found: Counter[int] = Counter()
    if start_ms >= end_ms or not grids:
        return found
    gaps = Gap.objects.missing().touching(start_ms, end_ms).filter(series__in=list(grids))
    counted = gaps.exclude(reason__in=never, state="unavailable")
    for key, start, end in counted.values_list("series_id", "start_ms", "end_ms"):
        grid = grids[key]
        found[key] += grid.count(grid.ceil(max(start, start_ms)), grid.ceil(min(end, end_ms)))
    return found


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of the heat map; without a summary ``score`` is None."""

    day_ms: int
    summary_id: int | None = None
    score: float | None = None
    missing: int = 0


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A series of the heat map with its days, ascending."""

    series: Series
    cells: list[Cell]


def heat_map(series: Sequence[Series], *, days: int, now: datetime) -> list[HeatRow]:
    """Return the last ``days`` UTC days of each series, by one query."""
    last = to_ms(now) // DAY_MS * DAY_MS
    moments = [last - back * DAY_MS for back in range(days - 1, -1, -1)]
    rows = QualitySummary.objects.filter(
        series__in=list(series), start_ms__gte=moments[0], start_ms__lte=last, expected__gt=0
    )
    known = {
        (key, day): Cell(day, pk, score, missing)
        for pk, key, day, score, missing in rows.values_list(
            "pk", "series_id", "start_ms", "score", "missing"
        )
    }
    return [
        HeatRow(one, [known.get((one.pk, day), Cell(day)) for day in moments]) for one in series
    ]


@dataclass(frozen=True, slots=True)
class Factor:
    """What one kind of fault takes from a score.

    Attributes:
        lost: in percent of what was left.
        left: the score after it.
    """

    kind: str
    faults: int
    weight: float
    lost: float
    left: float


def factors(summary: QualitySummary) -> list[Factor]:
    """Return how a day's score comes about, step by step, from 100."""
    counts = {kind: getattr(summary, kind) for kind in scoring.WEIGHTS}
    left, found = 100.0, []
    for kind, lost in scoring.losses(counts, expected=summary.expected).items():
        left *= 1.0 - lost
        weight = scoring.WEIGHTS[kind]
        found.append(Factor(kind, counts[kind], weight, 100.0 * lost, left))
    return found


def faults_of(summaries: Iterable[QualitySummary]) -> dict[str, int]:
    """Return the faults of some days together, the most costly kinds first."""
    total: Counter[str] = Counter()
    for row in summaries:
        total.update({kind: getattr(row, kind) for kind in scoring.WEIGHTS})
    weighed = sorted(total.items(), key=lambda one: -one[1] * scoring.WEIGHTS[one[0]])
    return {kind: count for kind, count in weighed if count}
