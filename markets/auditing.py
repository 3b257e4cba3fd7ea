"""Whether what is stored is what the exchange tells: a sample compared, differences settled by staff."""

import math
import random
from collections import Counter
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from markets import asking, configuring, kinds, storing, summarising, timeframes
from markets.adapters.wire import Trade
from markets.asking import Tools
from markets.choices import DifferenceKind, DifferenceState, Source
from markets.models import AuditDifference, Candle, Market, Series
from markets.paging import Pager
from markets.rows import Row
from markets.timeframes import DAY_MS, Timeframe
from project.core import runs
from project.core.callers import Caller
from project.core.errors import AppError, ConflictError
from project.core.models import Run
from project.core.working import Work

#: Pages of each series that an audit compares, where it isn't told, and how long they are.
WINDOWS: Final = 3
CANDLES: Final = 200
_NAMES: Final = ("open", "high", "low", "close", "volume")
#: Sums of sizes are compared so closely; prices exactly.
_CLOSE: Final = 1e-9


class DifferenceOutdatedError(ConflictError):
    """The candle is no longer as the audit saw it, or the difference is settled."""

    code = "difference_outdated"
    title = "The difference is out of date"


def ask(
    market: Market | None, *, by: Caller, now: datetime, timeframe: str = "", windows: int = WINDOWS
) -> Run:
    """Ask for an audit of one market, or of all that are enabled.

    Raises:
        AlreadyRunningError: one is under way; ``run_id`` names it.
    """
    payload = {"timeframe": timeframe, "windows": windows}
    if market is not None:
        payload["market_id"] = market.pk
    wanted = runs.Ask(
        kind=kinds.AUDIT.name,
        subject=f"{market or 'all markets'} {timeframe}".strip(),
        about=("markets.market", market.pk) if market else ("", ""),
        payload=payload,
        exclusive_key=f"audit:{market.pk if market else 'all'}",
    )
    return runs.submit(wanted, by=by, now=now)


def run(work: Work) -> None:
    """Do a run of ``markets.audit``; a series that can't be asked leaves it partial."""
    wanted = work.payload
    found = Series.objects.select_related("market__exchange")
    market_id = wanted.get("market_id")
    found = found.filter(market_id=market_id) if market_id else found.enabled()
    if timeframe := wanted.get("timeframe"):
        found = found.filter(timeframe=timeframe)
    chosen, total, failed = list(found), Counter(differences=0), list[str]()
    dice = random.Random(f"{work.run.pk}:{work.run.attempt}")  # noqa: S311 -- a sample, no secret
    for number, series in enumerate(chosen, start=1):
        try:
            windows = wanted.get("windows", WINDOWS)
            total.update(audit(series, work=work, dice=dice, windows=windows))
        except AppError as error:
            failed.append(f"{series}: {error}")
        progress = 100.0 * number / len(chosen)
        work.report(phase="comparing", progress=progress, counts={**total, "series": number})
    if failed:
        work.leave_partial(f"{len(failed)} of {len(chosen)} series not compared: {failed[0]}")


def audit(
    series: Series, *, work: Work, dice: random.Random, windows: int = WINDOWS
) -> Counter[str]:
    """Compare windows of a series, chosen by ``dice``, with the exchange.

    Returns:
        Counts: ``compared`` candles, ``differences``, candles compared with ``trades``.

    Raises:
        BadCollectorError: no collector tells how the exchange is asked.
        TransientError, PermanentError: the exchange gave no believable answer.
    """
    grid, counts = timeframes.of(series.timeframe), Counter[str]()
    starts = _starts(series, grid, dice, windows)
    if not starts:
        return counts
    means = configuring.means_of(configuring.collector_of(series))
    with asking.line_for(means, holder="markets.audit", tools=Tools(check=work.check)) as line:
        line.synchronise()
        pager = Pager(line, series, grid)
        for start in starts:
            end = grid.after(start, min(CANDLES, pager.limit_at(start)))
            page = pager.page(start, end)
            told = {row.open_time: row for row in page.rows if row.final}
            span = (start, min(end, max(told) + 1)) if told else (start, start)
            stored = _stored(series, *span)
            found = _different(stored, told, is_whole=page.is_whole)
            checked = set(stored)
            if stored and grid.step_ms < DAY_MS:
                row = stored[dice.choice(sorted(stored))]
                trades = pager.trades(row.open_time)
                if trades:
                    counts["trades"] += 1
                    found.setdefault(row.open_time, _against(row, trades))
            kept = {moment: one for moment, one in found.items() if one is not None}
            counts["compared"] += len(stored)
            counts["differences"] += _note(series, stored, kept, checked, work.run)
    return counts


def _starts(series: Series, grid: Timeframe, dice: random.Random, windows: int) -> list[int]:
    """Return where windows begin: at stored, final candles, spread by chance over all of them."""
    rows = Candle.objects.filter(series=series, final=True).order_by("open_time")
    moments = rows.values_list("open_time", flat=True)
    first, last = moments.first(), moments.last()
    if first is None or last is None:
        return []
    found: set[int] = set()
    for _ in range(windows):
        at = grid.floor(dice.randint(first, last))
        begin = moments.filter(open_time__gte=at).first()
        found.add(first if begin is None else begin)
    return sorted(found)


def _stored(series: Series, start_ms: int, end_ms: int) -> dict[int, Row]:
    rows = Candle.objects.filter(series=series, final=True).within(start_ms, end_ms)
    return {row[0]: Row(*row) for row in rows.values_list("open_time", *_NAMES)}


_Found = tuple[DifferenceKind, dict[str, float]] | None


def _different(
    stored: dict[int, Row], told: dict[int, Row], *, is_whole: bool
) -> dict[int, _Found]:
    found: dict[int, _Found] = {}
    for moment, row in stored.items():
        theirs = told.get(moment)
        if theirs is None:
            if is_whole:  # only a whole page shows that the exchange has none
                found[moment] = (DifferenceKind.NOT_THERE, {})
        elif theirs[1:6] != row[1:6]:
            found[moment] = (DifferenceKind.DIFFERS, values_of(theirs))
    return found


def _against(row: Row, trades: list[Trade]) -> _Found:
    """Return what the trades of a candle say, where that is something else."""
    prices = [trade.price for trade in trades]
    size = math.fsum(trade.size for trade in trades)
    told = Row(row.open_time, prices[0], max(prices), min(prices), prices[-1], size)
    is_same = told[1:5] == row[1:5] and math.isclose(size, row.volume, rel_tol=_CLOSE)
    return None if is_same else (DifferenceKind.TRADES, values_of(told))


def values_of(row: Row) -> dict[str, float]:
    """Return the five values of a row by name."""
    return dict(zip(_NAMES, row[1:6], strict=True))


def _note(
    series: Series, stored: dict[int, Row], found: dict[int, Any], checked: set[int], run: Run
) -> int:
    """Keep differences, one open row per candle; those that agree by now are gone."""
    now, new = timezone.now(), 0
    still = AuditDifference.objects.filter(series=series, state=DifferenceState.OPEN)
    gone = still.filter(open_time__in=checked - set(found))
    with transaction.atomic():
        # what only trades showed, candles alone can't clear
        gone.exclude(kind=DifferenceKind.TRADES).update(state=DifferenceState.GONE, settled_at=now)
        for moment, (kind, told) in found.items():
            facts = {"kind": kind, "stored": values_of(stored[moment]), "told": told}
            facts |= {"run_id": run.pk, "found_at": now}
            _, made = AuditDifference.objects.update_or_create(
                series=series, open_time=moment, state=DifferenceState.OPEN, defaults=facts
            )
            new += made
    return new


def repair(difference: AuditDifference, *, user: str, now: datetime) -> None:
    """Store what the exchange tells; what was stored goes to the revision log.

    A candle that the exchange has not is forgotten: the next check finds the gap.

    Raises:
        DifferenceOutdatedError: it is settled, or the candle has changed since.
    """
    series_id, moment = difference.series_id, difference.open_time
    with transaction.atomic():
        _settle(difference, DifferenceState.REPAIRED, user=user, now=now)
        candles = Candle.objects.filter(series_id=series_id, open_time=moment)
        row = candles.values(*_NAMES).first()
        if row != difference.stored:
            raise DifferenceOutdatedError("the candle has changed since: audit it again")
        if difference.told:
            first, high, low, last, volume = (float(difference.told[name]) for name in _NAMES)
            told = Row(moment, first, high, low, last, volume)
            storing.upsert_candles(series_id=series_id, rows=[told], source=Source.AUDIT, now=now)
        else:
            candles.delete()
        summarising.mark(series_id, moment, moment + 1)


def keep(difference: AuditDifference, *, user: str, now: datetime) -> None:
    """Settle a difference: what is stored stays.

    Raises:
        DifferenceOutdatedError: it is settled already.
    """
    _settle(difference, DifferenceState.KEPT, user=user, now=now)


def _settle(
    difference: AuditDifference, state: DifferenceState, *, user: str, now: datetime
) -> None:
    still = AuditDifference.objects.filter(pk=difference.pk, state=DifferenceState.OPEN)
    if not still.update(state=state, settled_at=now, settled_by=user):
        raise DifferenceOutdatedError("the difference is settled already")
