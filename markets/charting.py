"""What the market page's chart shows: a page of candles, and the gaps and tasks on it."""

from datetime import datetime
from typing import Any, Final

from django.db.models import Count
from django.urls import reverse

from markets import quality, reading, timeframes
from markets.choices import DifferenceState, GapState
from markets.models import (
    AuditDifference,
    BackfillTask,
    Candle,
    Finding,
    Gap,
    Market,
    Series,
)
from markets.reading import Reader, Window
from project.core.errors import FieldProblem, InvalidInputError

USUAL: Final = 500
MOST: Final = 5_000
MOST_MARKS: Final = 2_000
#: Stored candles that a page of made ones is added up of, about; so many of them at least.
MOST_PARTS: Final = 80_000
LEAST_MADE: Final = 5
_USUALLY_MADE: Final = ("5m", "15m", "1h", "4h", "1d", "1w", "1M")


class BadChartError(InvalidInputError):
    """A parameter of the feed is wrong."""

    code = "bad_range"
    title = "The chart can't be drawn like this"


def kept_in(market: Market) -> list[str]:
    """Return the timeframes that a market is kept in, the shortest first."""
    names = market.series.values_list("timeframe", flat=True)
    return sorted(names, key=lambda name: timeframes.of(name).step_ms)


def feed(
    market: Market, *, timeframe: str, before: str, limit: str, now: datetime
) -> dict[str, Any]:
    """Return what README.md, "The chart's feed", describes; parameters as they came.

    Raises:
        BadChartError: ``before`` or ``limit`` is no number, or out of range.
        UnknownTimeframeError: the market isn't kept in it.
    """
    names = kept_in(market)
    before_ms = _number("before", before, None, 2**62)
    count = _number("limit", limit, USUAL, MOST) or USUAL
    told: dict[str, Any] = {
        "market": {"id": market.pk, "exchange": market.exchange.name, "symbol": market.symbol},
        "timeframe": timeframe or (names[0] if names else ""),
        "timeframes": names,
        "made": makeable(names),
        "now_ms": round(now.timestamp() * 1000),
    }
    if not told["timeframe"]:
        return told | _NOTHING
    candles = reading.candles_of(market, told["timeframe"])
    if candles.source is not None:
        return told | _NOTHING | _of_made(candles, candles.source, before_ms, count)
    series = reading.series_of(market, told["timeframe"])
    return told | _NOTHING | _of_series(series, before_ms, count)


def makeable(kept: list[str]) -> list[str]:
    """Return the usual timeframes that aren't kept and can be made of one that is."""
    grids = [timeframes.of(name) for name in kept]
    wanted = [timeframes.of(name) for name in _USUALLY_MADE if name not in kept]
    return [one.name for one in wanted if any(one.is_made_of(grid) for grid in grids)]


_NOTHING: Final[dict[str, Any]] = {
    "step_ms": None,
    "made_of": None,
    "candles": [],
    "incomplete": [],
    "findings": [],
    "differences": [],
    "gaps": [],
    "backfills": [],
    "tasks": [],
    "window": {"start_ms": None, "end_ms": None},
    "older": None,
}


def _number(name: str, text: str, usual: int | None, most: int) -> int | None:
    if not text:
        return usual
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:20]) <= most):
        wrong = FieldProblem(name, "out_of_range", f"a whole number from 1 to {most}")
        raise BadChartError(f"{name}: {wrong.detail}", fields=(wrong,))
    return int(text)


def _of_series(series: Series, before_ms: int | None, count: int) -> dict[str, Any]:
    grid = timeframes.of(series.timeframe)
    rows = Candle.objects.filter(series=series).within(None, before_ms).order_by("-open_time")
    names = ("open_time", "open", "high", "low", "close", "volume", "final")
    found = list(rows.values_list(*names)[: count + 1])
    candles = [list(row) for row in reversed(found[:count])]
    if not candles:
        window: dict[str, int | None] = {"start_ms": None, "end_ms": None}
        marks: dict[str, Any] = {}
    else:
        start, end = candles[0][0], grid.after(candles[-1][0])
        if len(found) > count:  # a gap before the first candle belongs to the page too
            start = grid.after(found[count][0])
        window = {"start_ms": start, "end_ms": end}
        marks = _marks(series, start, end)
    older = candles[0][0] if len(found) > count else None
    return {"step_ms": grid.step_ms, "candles": candles, **marks, "window": window, "older": older}


def _of_made(
    candles: reading.Kept | reading.Resampled,
    source: Series,
    before_ms: int | None,
    count: int,
) -> dict[str, Any]:
    """Return a page of candles that are made of those of ``source``, with the marks of those."""
    grid, parts = candles.grid, timeframes.of(source.timeframe)
    most = min(count, max(LEAST_MADE, MOST_PARTS * parts.step_ms // grid.step_ms))
    told: dict[str, Any] = {"step_ms": grid.step_ms, "made_of": source.timeframe}
    start = candles.before(before_ms, most)
    if start is None:
        return told
    reader = Reader(candles, Window(start, before_ms, most))
    rows: list[list[Any]] = []
    lacks: list[list[int]] = []
    while found := reader.read():
        rows += [list(row[:7]) for row in found]
        lacks += [[opened, missing] for opened, missing in reader.missing.items()]
    end = grid.after(int(rows[-1][0]))
    older = start if candles.last_before(start) is not None else None
    window = {"start_ms": start, "end_ms": end}
    told |= {"candles": rows, "incomplete": lacks, "window": window, "older": older}
    return told | _marks(source, start, end)


def _marks(series: Series, start: int, end: int) -> dict[str, Any]:
    return {
        "gaps": _gaps(series, start, end),
        "backfills": _backfills(series, start, end),
        "tasks": _tasks(series, start, end),
        "findings": _findings(series, start, end),
        "differences": _differences(series, start, end),
    }


def _findings(series: Series, start: int, end: int) -> list[dict[str, Any]]:
    names = ("id", "start_ms", "end_ms", "kind", "is_stored")
    found = Finding.objects.unsettled().filter(series=series).touching(start, end)
    rows = list(found.order_by("start_ms").values(*names)[:MOST_MARKS])
    page = "admin:markets_finding_change"
    return [{**row, "url": reverse(page, args=[row["id"]])} for row in rows]


def _differences(series: Series, start: int, end: int) -> list[dict[str, Any]]:
    found = AuditDifference.objects.filter(series=series, state=DifferenceState.OPEN)
    found = found.filter(open_time__gte=start, open_time__lt=end).order_by("open_time")
    page = "admin:markets_auditdifference_change"
    return [
        {"id": key, "start_ms": opened, "url": reverse(page, args=[key])}
        for key, opened in found.values_list("id", "open_time")[:MOST_MARKS]
    ]


def _gaps(series: Series, start: int, end: int) -> list[dict[str, Any]]:
    names = ("id", "start_ms", "end_ms", "missing", "reason", "state")
    found = Gap.objects.filter(series=series).missing().touching(start, end)
    rows = list(found.order_by("start_ms").values(*names)[:MOST_MARKS])
    return [{**row, "url": reverse("admin:markets_gap_change", args=[row["id"]])} for row in rows]


def _backfills(series: Series, start: int, end: int) -> list[dict[str, Any]]:
    """Return the stretches that were missing once and are stored now."""
    closed = Gap.objects.filter(series=series, state=GapState.CLOSED).touching(start, end)
    rows = closed.order_by("start_ms").values("start_ms", "end_ms")[:MOST_MARKS]
    return [dict(row) for row in rows]


def _tasks(series: Series, start: int, end: int) -> list[dict[str, Any]]:
    names = ("id", "start_ms", "end_ms", "status", "progress")
    found = BackfillTask.objects.filter(series=series, start_ms__lt=end, end_ms__gt=start)
    rows = list(found.order_by("start_ms", "id").values(*names)[:MOST_MARKS])
    page = "admin:markets_backfilltask_change"
    return [{**row, "url": reverse(page, args=[row["id"]])} for row in rows]


def coverage_of(market: Market) -> list[dict[str, Any]]:
    """Return for each series of a market its first and last candle, their number and its gaps."""
    series = list(market.series.all())
    covered = quality.coverage(series)
    missing = Gap.objects.missing().filter(series__in=series).order_by()
    gaps = dict(missing.values_list("series").annotate(count=Count("pk")))
    rows = [
        {
            "timeframe": one.timeframe,
            "first": covered.get(one.pk, {}).get("first"),
            "last": covered.get(one.pk, {}).get("last"),
            "count": covered.get(one.pk, {}).get("count", 0),
            "gaps": gaps.get(one.pk, 0),
            "expected": _expected(one, covered.get(one.pk, {})),
        }
        for one in series
    ]
    return sorted(rows, key=lambda row: timeframes.of(row["timeframe"]).step_ms)


def _expected(series: Series, covered: dict[str, Any]) -> int:
    """Return how many candles there would be from the first to the last without a hole."""
    if not covered:
        return 0
    grid = timeframes.of(series.timeframe)
    return grid.count(covered["first"], grid.after(covered["last"]))
