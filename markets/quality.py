"""The quality check: gaps found and given to repair, days counted and scored."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db.models import Max, OuterRef, Q, Subquery
from django.utils import timezone

from markets import backfilling, kinds, ledger, reviewing, summarising
from markets.detecting import Limits
from markets.models import Candle, Market, QualitySummary, Series
from markets.querysets import SeriesQuerySet
from markets.timeframes import DAY_MS
from project.core import runs
from project.core.callers import Caller
from project.core.models import Run
from project.core.working import Work

#: With more days that changed since they were counted, all candles are counted.
MOST_DAYS: Final = 30


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
    """Return first, last and number of candles by series; those without any are left out.

    Days that were counted and haven't changed since are not counted again: a page shows it.
    """
    mine = list(series)
    opened = Candle.objects.filter(series=OuterRef("pk")).order_by("open_time")
    found: Iterable[Any] = Series.objects.filter(pk__in=[one.pk for one in mine]).annotate(
        first=Subquery(opened.values("open_time")[:1]),
        last=Subquery(opened.reverse().values("open_time")[:1]),
    )
    fresh: dict[int, dict[int, int]] = {}
    days = QualitySummary.objects.filter(series__in=mine, is_stale=False).order_by()
    for key, day, stored in days.values_list("series_id", "start_ms", "stored"):
        fresh.setdefault(key, {})[day] = stored
    return {
        one.pk: {"first": one.first, "last": one.last, "count": _count(one, fresh.get(one.pk, {}))}
        for one in found
        if one.first is not None
    }


def _count(series: Any, fresh: dict[int, int]) -> int:
    """Return how many candles a series has: those of ``fresh`` days, and those counted now."""
    candles = Candle.objects.filter(series=series)
    days = range(series.first // DAY_MS * DAY_MS, series.last + 1, DAY_MS)
    others = [day for day in days if day not in fresh]
    if len(others) > MOST_DAYS or not set(days).issuperset(fresh):
        return candles.count()
    within = [Q(open_time__gte=day, open_time__lt=day + DAY_MS) for day in others]
    more = candles.filter(reduce(or_, within)).count() if within else 0
    return sum(fresh.values()) + more
