"""Which candles are missing, why, and when it is looked at again: the ledger of gaps.

Holes are found by one query over the stored candles. A hole proves nothing by itself: only a
whole page that holds candles on both sides of it and none inside shows that the exchange has none.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef

from markets import kinds, summarising, timeframes
from markets.checking import Page
from markets.choices import GapReason, GapState
from markets.models import BackfillTask, Candle, Gap, Series
from markets.timeframes import Timeframe
from project.core import announcing
from project.core.moments import stamp

#: The second look, by which a gap becomes unavailable, is taken so long after the first.
SECOND_LOOK_AFTER: Final = timedelta(minutes=5)
LOOKS_NEEDED: Final = 2
#: Waits after looks that proved nothing: doubled each time, up to a week.
LOOK_AGAIN_AFTER: Final = timedelta(minutes=10)
LOOK_AGAIN_MOST: Final = timedelta(days=7)
#: The same hole on so many symbols of an exchange is an outage of the exchange.
OUTAGE_SYMBOLS: Final = 3
EVIDENCE_KEPT: Final = 10

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What a survey came to: gaps new, gone, and missing still."""

    opened: int = 0
    closed: int = 0
    missing: int = 0


def holes(series_id: int, grid: Timeframe, within: Range | None = None) -> list[Range]:
    """Return the holes between stored candles as half-open ranges, ascending.

    Args:
        series_id: whose candles.
        grid: its timeframe.
        within: only holes after and before candles of this half-open range.
    """
    low, high = within or (0, 2**62)
    bounds = {"series": series_id, "low": low, "high": high, "step": grid.step_ms}
    with connection.cursor() as cursor:
        cursor.execute(_BOUNDS, bounds)
        first, last, count = cursor.fetchone()
        if not count or count == grid.count(first, last) + 1:
            return []
        if grid.is_month:  # steps differ; there are twelve a year
            rows = Candle.objects.filter(series_id=series_id).within(low, high)
            opened = list(rows.order_by("open_time").values_list("open_time", flat=True))
            return [(grid.after(a), b) for a, b in pairwise(opened) if grid.after(a) < b]
        cursor.execute(_HOLES[connection.vendor], bounds | {"last": last})
        return [(int(start), int(end)) for start, end in cursor.fetchall()]


_BOUNDS: Final = (
    "SELECT min(open_time), max(open_time), count(*) FROM markets_candle"
    " WHERE series_id = %(series)s AND open_time >= %(low)s AND open_time < %(high)s"
)
#: SQLite is quickest by looking each following candle up, PostgreSQL by one pass in order.
_HOLES: Final = {
    "sqlite": (
        "SELECT c.open_time + %(step)s, (SELECT min(n.open_time) FROM markets_candle n"
        " WHERE n.series_id = %(series)s AND n.open_time > c.open_time AND n.open_time <= %(last)s)"
        " FROM markets_candle c WHERE c.series_id = %(series)s"
        " AND c.open_time >= %(low)s AND c.open_time < %(last)s"
        " AND NOT EXISTS (SELECT 1 FROM markets_candle n WHERE n.series_id = %(series)s"
        " AND n.open_time = c.open_time + %(step)s) ORDER BY c.open_time"
    ),
    "postgresql": (
        "SELECT before + %(step)s, after FROM ("
        "SELECT open_time AS before, lead(open_time) OVER (ORDER BY open_time) AS after"
        " FROM markets_candle WHERE series_id = %(series)s"
        " AND open_time >= %(low)s AND open_time <= %(last)s) pairs"
        " WHERE after - before > %(step)s ORDER BY before"
    ),
}


def survey(series: Series, *, now: datetime, within: Range | None = None) -> Surveyed:
    """Bring the ledger of a series up to date with what is stored.

    New holes become open gaps; gaps that were filled are closed, partly filled ones shrink; gaps
    that nobody fills any more are open again. Rivals that survey at once make each gap once.

    Args:
        series: which.
        now: the moment, UTC.
        within: look only at this part; it must have candles at both ends of each hole.
    """
    grid = timeframes.of(series.timeframe)
    found = holes(series.pk, grid, within)
    with transaction.atomic():
        lock(series)
        known = Gap.objects.filter(series=series).missing().order_by("start_ms")
        if within is not None:
            known = known.touching(*within)
        done = _reconcile(
            series, grid, list(known), _still_holes(series.pk, found, list(known)), now
        )
        _free(series, within)
        Series.objects.filter(pk=series.pk).update(checked_at=now)
    return done


def lock(series: Series) -> None:
    """Let one at a time change the ledger of a series; on SQLite there is one writer anyway."""
    Series.objects.select_for_update().filter(pk=series.pk).values_list("pk").first()


def _still_holes(series_id: int, found: list[Range], known: list[Gap]) -> list[Range]:
    """Return the holes that nobody filled since they were looked up.

    Holes that the ledger has are not looked up again: they close with the next survey.
    """
    had = {(gap.start_ms, gap.end_ms) for gap in known}
    rows = Candle.objects.filter(series_id=series_id)
    return [hole for hole in found if hole in had or not rows.within(*hole).exists()]


def _reconcile(
    series: Series, grid: Timeframe, known: list[Gap], found: list[Range], now: datetime
) -> Surveyed:
    opened = closed = 0
    had, now_there = {(gap.start_ms, gap.end_ms) for gap in known}, set(found)
    for gap in known:
        if (gap.start_ms, gap.end_ms) in now_there:
            continue
        left = _overlaps((gap.start_ms, gap.end_ms), found)
        if not left:
            Gap.objects.filter(pk=gap.pk).update(
                state=GapState.CLOSED, closed_at=now, next_look_at=None
            )
            _tell_repaired(series, gap, now=now)
            closed += 1
        elif left != [(gap.start_ms, gap.end_ms)]:  # a longer hole may hold the whole gap
            _shrink(gap, left, grid)
            opened += len(left) - 1
    covered = sorted(had)
    new = [part for hole in found if hole not in had for part in _without(hole, covered)]
    Gap.objects.bulk_create(
        [
            Gap(
                series=series,
                start_ms=start,
                end_ms=end,
                missing=grid.count(start, end),
                found_at=now,
            )
            for start, end in new
        ]
    )
    return Surveyed(opened + len(new), closed, len(found))


def _tell_repaired(series: Series, gap: Gap, *, now: datetime) -> None:
    """Tell webhooks that a hole was filled."""
    data = {
        "gap_id": gap.pk,
        "market": series.market_id,
        "timeframe": series.timeframe,
        "start": stamp(datetime.fromtimestamp(gap.start_ms / 1000, UTC)),
        "end": stamp(datetime.fromtimestamp(gap.end_ms / 1000, UTC)),
        "missing": gap.missing,
    }
    announcing.announce(kinds.GAP_REPAIRED, data, now=now)


def _shrink(gap: Gap, left: list[Range], grid: Timeframe) -> None:
    """Let the row stand for the first part that is left; the others get rows of their own."""
    start, end = left[0]
    Gap.objects.filter(pk=gap.pk).update(start_ms=start, end_ms=end, missing=grid.count(start, end))
    for start, end in left[1:]:
        gap.pk, gap.start_ms, gap.end_ms = None, start, end
        gap.missing = grid.count(start, end)
        gap.save(force_insert=True)


def _overlaps(span: Range, ranges: list[Range]) -> list[Range]:
    """Return the parts of ``span`` that ``ranges`` (ascending) cover."""
    return [
        (max(span[0], start), min(span[1], end))
        for start, end in ranges
        if start < span[1] and end > span[0]
    ]


def _without(span: Range, ranges: Iterable[Range]) -> list[Range]:
    """Return the parts of ``span`` that ``ranges`` (ascending) don't cover."""
    at, left = span[0], []
    for start, end in ranges:
        if end <= at or start >= span[1]:
            continue
        if start > at:
            left.append((at, start))
        at = max(at, end)
    return [*left, (at, span[1])] if at < span[1] else left


def _free(series: Series, within: Range | None) -> None:
    """Open the gaps that say they are being filled, though no task that waits or works is at it."""
    at_it = BackfillTask.objects.filter(
        series=series, start_ms__lt=OuterRef("end_ms"), end_ms__gt=OuterRef("start_ms")
    ).unended()
    filling = Gap.objects.filter(~Exists(at_it), series=series, state=GapState.FILLING)
    if within is not None:
        filling = filling.touching(*within)
    filling.update(state=GapState.OPEN)


def note_page(series: Series, page: Page, *, now: datetime, is_sparse: bool = False) -> int:
    """Write down what a page proves about known gaps; return about how many.

    Only a whole page counts, and a gap only where the page has candles on both sides and none
    inside. A second look counts when it comes later than ``SECOND_LOOK_AFTER`` or by another way;
    it makes the gap unavailable (where the exchange is known to leave candles out, the first does).
    """
    if not page.is_whole or len(page.rows) < 2:  # noqa: PLR2004 -- both sides
        return 0
    opened = [row.open_time for row in page.rows]
    gaps = Gap.objects.filter(series=series, state__in=[GapState.OPEN, GapState.FILLING])
    inside = list(gaps.filter(start_ms__gt=opened[0], end_ms__lte=opened[-1]))
    if not inside:
        return 0
    moments, proven = set(opened), 0
    grid = timeframes.of(series.timeframe)
    for gap in inside:
        before = grid.floor(gap.start_ms - 1)
        if before in moments and gap.end_ms in moments and _is_empty(gap, opened):
            proven += _prove(gap, page, now, LOOKS_NEEDED - int(is_sparse))
    return proven


def _is_empty(gap: Gap, opened: list[int]) -> bool:
    """Say whether none of ``opened`` (ascending) lies in the gap."""
    after = bisect_left(opened, gap.start_ms)
    return after == len(opened) or opened[after] >= gap.end_ms


def _prove(gap: Gap, page: Page, now: datetime, needed: int) -> int:
    last = next((one for one in reversed(gap.evidence) if one.get("proves")), None)
    if last and last["egress"] == page.egress and stamp(now - SECOND_LOOK_AFTER) < last["at"]:
        return 0  # the same look once more
    looks = gap.looks + 1
    known = gap.reason not in {GapReason.UNKNOWN, GapReason.FETCH_FAILED}
    changes: dict[str, Any] = {
        "looks": looks,
        "evidence": _evidence(gap, page, now, proves=True),
        "reason": gap.reason if known else GapReason.NO_TRADES,
        "next_look_at": now + SECOND_LOOK_AFTER,
    }
    if looks >= needed:
        changes |= {"state": GapState.UNAVAILABLE, "next_look_at": None}
        summarising.mark(gap.series_id, gap.start_ms, gap.end_ms)
    return Gap.objects.filter(pk=gap.pk, looks=gap.looks).update(**changes)


def _evidence(gap: Gap, page: Page, now: datetime, *, proves: bool) -> list[dict[str, Any]]:
    look = {
        "at": stamp(now),
        "egress": page.egress,
        "window": [page.asked.start_ms, page.asked.end_ms],
        "rows": len(page.rows),
        "proves": proves,
    }
    return [*gap.evidence, look][-EVIDENCE_KEPT:]


def put_off(gaps: Iterable[Gap], *, now: datetime, error: str = "") -> None:
    """Set when gaps that a look didn't settle are looked at again: ever later, up to a week."""
    for gap in gaps:
        wait = min(LOOK_AGAIN_MOST, LOOK_AGAIN_AFTER * 2 ** min(gap.attempts, 12))
        changes: dict[str, Any] = {"attempts": F("attempts") + 1}
        if gap.next_look_at is None or gap.next_look_at <= now:
            changes["next_look_at"] = now + wait
        if error:
            failed = {"at": stamp(now), "error": error[:300], "proves": False}
            changes["evidence"] = [*gap.evidence, failed][-EVIDENCE_KEPT:]
            if gap.reason == GapReason.UNKNOWN:
                changes["reason"] = GapReason.FETCH_FAILED
        Gap.objects.filter(pk=gap.pk).exclude(state=GapState.CLOSED).update(**changes)


def note_outages(exchange_id: int) -> int:
    """Call gaps an outage where the same hole is on three symbols or more; return how many."""
    missing = Gap.objects.missing().filter(series__market__exchange_id=exchange_id)
    same = (
        missing.order_by()
        .values("series__timeframe", "start_ms", "end_ms")
        .annotate(symbols=Count("series__market", distinct=True))
        .filter(symbols__gte=OUTAGE_SYMBOLS)
    )
    told = 0
    for one in list(same):
        found = missing.filter(
            series__timeframe=one["series__timeframe"],
            start_ms=one["start_ms"],
            end_ms=one["end_ms"],
            reason__in=[GapReason.UNKNOWN, GapReason.FETCH_FAILED, GapReason.NO_TRADES],
        )
        keys = list(found.values_list("pk", flat=True))
        told += Gap.objects.filter(pk__in=keys).update(reason=GapReason.EXCHANGE_OUTAGE)
    return told


def note_listing(series: Series, *, now: datetime) -> int:
    """Settle gaps that the exchange's list of markets explains; return how many.

    What was missing before the listing never was there, and of a market that is listed no more
    nothing can be had. Where it is listed again, its gaps are open again.
    """
    market = series.market
    open_ones = Gap.objects.filter(series=series, state=GapState.OPEN)
    settled = 0
    if market.listed_ms is not None:
        _cut_at_listing(series, market.listed_ms)
        for gap in open_ones.filter(end_ms__lte=market.listed_ms):
            told = {"listed_ms": market.listed_ms}
            settled += _settle(gap, GapReason.PRE_LISTING, told, now)
    if market.is_listed:
        gone = Gap.objects.filter(series=series, state=GapState.UNAVAILABLE)
        gone.filter(reason=GapReason.DELISTED).update(
            state=GapState.OPEN, reason=GapReason.UNKNOWN, next_look_at=None
        )
    elif market.exchange_symbol:
        for gap in open_ones:
            settled += _settle(gap, GapReason.DELISTED, {"listed": False}, now)
    return settled


def _cut_at_listing(series: Series, listed_ms: int) -> None:
    """Let no open gap lie across the listing."""
    grid = timeframes.of(series.timeframe)
    at = grid.floor(listed_ms)
    across = Gap.objects.filter(series=series, state=GapState.OPEN)
    for gap in across.filter(start_ms__lt=at, end_ms__gt=at):
        _shrink(gap, [(gap.start_ms, at), (at, gap.end_ms)], grid)


def _settle(gap: Gap, reason: GapReason, told: dict[str, Any], now: datetime) -> int:
    look = {"at": stamp(now), **told, "proves": False}
    open_ones = Gap.objects.filter(pk=gap.pk, state__in=[GapState.OPEN, GapState.FILLING])
    settled = open_ones.update(
        state=GapState.UNAVAILABLE,
        reason=reason,
        next_look_at=None,
        evidence=[*gap.evidence, look][-EVIDENCE_KEPT:],
    )
    if settled:
        summarising.mark(gap.series_id, gap.start_ms, gap.end_ms)
    return settled


#: Reasons that staff may give.
BY_STAFF: Final = (
    GapReason.MARKED_BY_STAFF,
    GapReason.CALENDAR,
    GapReason.EXCHANGE_OUTAGE,
    GapReason.PRE_LISTING,
    GapReason.DELISTED,
    GapReason.NO_TRADES,
)


def mark(
    gap: Gap,
    *,
    note: str,
    now: datetime,
    user: str,
    reason: GapReason = GapReason.MARKED_BY_STAFF,
) -> bool:
    """Let staff settle a gap: it is unavailable, and not asked for again; False when it is over."""
    return bool(_settle(gap, reason, {"by": user, "note": note[:300]}, now))


def around(series_id: int, grid: Timeframe, span: Range) -> Range:
    """Return ``span`` widened to the stored candles before and after it, both included."""
    rows = Candle.objects.filter(series_id=series_id)
    before = rows.filter(open_time__lt=span[0]).order_by("-open_time")
    after = rows.filter(open_time__gte=span[1]).order_by("open_time")
    first = before.values_list("open_time", flat=True).first()
    last = after.values_list("open_time", flat=True).first()
    start = span[0] if first is None else first
    return start, span[1] if last is None else grid.after(last)
