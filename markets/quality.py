"""The quality check: gaps found and given to repair, days counted and scored."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min
from django.db.models.functions import Coalesce
from django.utils import timezone

from markets import backfilling, kinds, ledger, reviewing, summarising
from markets.detecting import Limits
from markets.models import Candle, Market, Series
from markets.querysets import SeriesQuerySet
from markets.timeframes import DAY_MS
from project.core import runs
from project.core.callers import Caller
from project.core.models import Run
from project.core.working import Work


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
        ledger.note_listing(one, now=now)
        limits = reviewing.limits_of(one)
        _review(one, limits, now)
        summarising.recount(one, now=now, is_sparse=limits.is_sparse)
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


def _review(series: Series, limits: Limits, now: datetime) -> None:
    """Look again at the candles of the last days: corrected ones may be odd no more."""
    last = Candle.objects.filter(series=series).aggregate(last=Max("open_time"))["last"]
    if last is not None:
        start = last // DAY_MS * DAY_MS - (summarising.DAYS - 1) * DAY_MS
        reviewing.review(series, start_ms=start, end_ms=last + 1, limits=limits, now=now)


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
