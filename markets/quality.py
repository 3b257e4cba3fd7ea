"""The quality check: gaps found and given to repair, days counted and scored."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, F, Max, Min
from django.db.models.functions import Coalesce
from django.utils import timezone

from markets import backfilling, kinds, ledger, scoring, timeframes
from markets.models import Candle, Market, QualitySummary, Series
from markets.querysets import SeriesQuerySet
from markets.timeframes import DAY_MS, Timeframe
from project.core import runs
from project.core.callers import Caller
from project.core.models import Run
from project.core.working import Work

#: Days that each check counts anew; older ones when candles of theirs change.
DAYS: Final = 2
#: Findings of pages that a day's row keeps.
KEPT: Final = ("duplicate", "out_of_order", "misaligned", "bad_value", "bad_ohlc")


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check came to."""

    series: int = 0
    opened: int = 0
    closed: int = 0
    missing: int = 0
    tasks: int = 0


def ask(market: Market, timeframe: str, *, by: Caller, now: datetime) -> Run:
    """Ask for a check of one market, in one timeframe or (empty) in all.

    Raises:
        AlreadyRunningError: one is under way; ``run_id`` names it.
    """
    return runs.submit(
        runs.Ask(
            kind=kinds.QUALITY.name,
            subject=f"{market} {timeframe}".strip(),
            about=("markets.market", market.pk),
            payload={"market_id": market.pk, "timeframe": timeframe},
            exclusive_key=f"quality:{market.pk}:{timeframe}",
        ),
        by=by,
        now=now,
    )


def run(work: Work) -> None:
    """Check what the run asks for: one market, or all that are enabled."""
    found = Series.objects.all()
    if market_id := work.payload.get("market_id"):
        found = found.filter(market_id=market_id)
    else:
        found = found.enabled()
    if timeframe := work.payload.get("timeframe"):
        found = found.filter(timeframe=timeframe)
    check(found, now=timezone.now(), work=work)


def check(
    chosen: SeriesQuerySet, *, now: datetime, work: Work | None = None, repair: bool = True
) -> Checked:
    """Survey series, note outages, count their last days, and make backfill tasks.

    Args:
        chosen: which series.
        now: the moment, UTC.
        work: told how far it is.
        repair: make and start backfill tasks for the gaps that are due.
    """
    total: Counter[str] = Counter()
    series = list(chosen.select_related("market__exchange"))
    for number, one in enumerate(series, start=1):
        done = ledger.survey(one, now=now)
        total.update(opened=done.opened, closed=done.closed, missing=done.missing)
        summarise(one, now=now)
        if work is not None:
            progress = 90.0 * number / len(series)
            work.report(phase="surveying", progress=progress, counts=dict(total))
    for exchange_id in {one.market.exchange_id for one in series}:
        ledger.note_outages(exchange_id)
    if repair:
        total["tasks"] = sum(len(backfilling.make_tasks(one, now=now)) for one in series)
        backfilling.start_due(now=now)
    if work is not None:
        work.report(phase="repairing", counts={**total, "series": len(series)})
    return Checked(len(series), total["opened"], total["closed"], total["missing"], total["tasks"])


def summarise(series: Series, *, now: datetime, days: int = DAYS) -> None:
    """Count the last ``days`` days of a series that have candles, and score them."""
    grid = timeframes.of(series.timeframe)
    rows = Candle.objects.filter(series=series)
    ends = rows.aggregate(first=Min("open_time"), last=Max("open_time"))
    if ends["last"] is None:
        return
    today = ends["last"] // DAY_MS * DAY_MS
    for start in range(
        max(ends["first"] // DAY_MS * DAY_MS, today - (days - 1) * DAY_MS), today + 1, DAY_MS
    ):
        _summarise_day(series, grid, (start, start + DAY_MS), ends, now)


def _summarise_day(
    series: Series, grid: Timeframe, day: ledger.Range, ends: dict[str, int], now: datetime
) -> None:
    start, end = day
    low = grid.ceil(max(start, ends["first"]))
    high = grid.ceil(min(end, ends["last"] + 1))
    expected = grid.count(low, high)
    stored = Candle.objects.filter(series=series).within(start, end).count()
    facts = {
        "end_ms": end,
        "expected": expected,
        "stored": stored,
        "missing": max(0, expected - stored),
        "computed_at": now,
    }
    row, _ = QualitySummary.objects.update_or_create(series=series, start_ms=start, defaults=facts)
    score_again(row)


def score_again(row: QualitySummary) -> None:
    """Write the score that the counts of a row give."""
    counts = {kind: getattr(row, kind) for kind in scoring.WEIGHTS}
    score = scoring.calculate_quality_score(counts, expected=row.expected)
    QualitySummary.objects.filter(pk=row.pk).update(score=score)


def note_findings(series: Series, findings: Counter[str], at_ms: int, *, now: datetime) -> None:
    """Add what was wrong with a page to the row of the day in which it began."""
    told = findings + Counter(bad_value=findings["not_a_number"])
    counted = {kind: told[kind] for kind in KEPT if told[kind]}
    if not counted:
        return
    start = at_ms // DAY_MS * DAY_MS
    grid = timeframes.of(series.timeframe)
    expected = grid.count(grid.ceil(start), grid.ceil(start + DAY_MS))
    with transaction.atomic():
        row, _ = QualitySummary.objects.get_or_create(
            series=series,
            start_ms=start,
            defaults={"end_ms": start + DAY_MS, "expected": expected, "computed_at": now},
        )
        changes: dict[str, Any] = {kind: F(kind) + count for kind, count in counted.items()}
        QualitySummary.objects.filter(pk=row.pk).update(**changes)
        row.refresh_from_db()
        score_again(row)


def coverage(series: Iterable[Series]) -> dict[int, dict[str, Any]]:
    """Return first, last and number of candles by series, in one query."""
    found = (
        Candle.objects.filter(series__in=list(series))
        .order_by()
        .values("series_id")
        .annotate(
            first=Min("open_time"), last=Max("open_time"), count=Coalesce(Count("open_time"), 0)
        )
    )
    return {row["series_id"]: dict(row) for row in found}
