"""What becomes of what is wrong or odd about candles: it is kept, and its days counted again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from markets import configuring, detecting, noting, summarising, timeframes
from markets.checking import Page
from markets.choices import ODD, Source
from markets.configuring import BadCollectorError
from markets.detecting import Limits
from markets.models import Candle, Finding, Series
from markets.noting import Seen
from markets.rows import Row

#: Candles that a review of a series looks at most, the newest.
MOST_CANDLES: Final = 20_000
_COLUMNS: Final = ("open_time", "open", "high", "low", "close", "volume")


def note_page(
    series: Series, page: Page, *, source: Source, limits: Limits, now: datetime
) -> list[Seen]:
    """Keep what is wrong or odd about a page; return all of it. Its days are counted again later.

    Call it in the transaction that stores the page. Candles that aren't final yet are no matter.
    """
    grid = timeframes.of(series.timeframe)
    final = [row for row in page.rows if row.final]
    found: list[Seen] = list(page.seen)
    if final:
        before = _before(series, final[0].open_time)
        found += detecting.odd(final, before=before, step_ms=grid.step_ms, limits=limits)
    noting.note(series, found, source=source, now=now)
    touched = [row.open_time for row in (page.rows[:1] + page.rows[-1:])]
    touched += [one.start_ms for one in page.seen]
    if touched:
        summarising.mark(series.pk, min(touched), max(touched) + 1)
    return found


def _before(series: Series, moment_ms: int) -> list[Any]:
    rows = Candle.objects.filter(series=series, final=True, open_time__lt=moment_ms)
    last = rows.order_by("-open_time").values_list(*_COLUMNS)[: detecting.CONTEXT]
    return list(last)[::-1]


def limits_of(series: Series) -> Limits:
    """Return what the collector of a series calls odd; the usual where there is none."""
    try:
        collector = configuring.collector_of(series)
    except BadCollectorError:
        return Limits()
    return Limits(collector.price_jump_mad, collector.is_sparse)


def review(
    series: Series, *, start_ms: int, end_ms: int, limits: Limits, now: datetime
) -> tuple[int, int]:
    """Look at stored candles anew: what is odd is kept, what is odd no more goes.

    What staff settled stays.

    Args:
        series: which.
        start_ms: first moment.
        end_ms: exclusive; of more than ``MOST_CANDLES`` the newest are looked at.
        limits: what is called odd.
        now: the moment, UTC.

    Returns:
        How many findings are new, and how many went.
    """
    grid = timeframes.of(series.timeframe)
    stored = Candle.objects.filter(series=series, final=True).within(start_ms, end_ms)
    newest = list(stored.order_by("-open_time").values_list(*_COLUMNS)[:MOST_CANDLES])
    rows = [Row(*row) for row in reversed(newest)]
    if not rows:
        return 0, 0
    before = _before(series, rows[0].open_time)
    found = detecting.odd(rows, before=before, step_ms=grid.step_ms, limits=limits)
    gone = _gone(series, rows, found)
    Finding.objects.filter(pk__in=[row.pk for row in gone]).delete()
    known = set(_odd_ones(series, rows).values_list("kind", "start_ms"))
    new = [one for one in found if (one.kind.value, one.start_ms) not in known]
    made = noting.note(series, new, source=Source.COLLECT, now=now)
    for at in {row.start_ms for row in gone} | {one.start_ms for one in new}:
        summarising.mark(series.pk, at, at + 1)
    return made, len(gone)


def settle(finding: Finding, *, user: str, note: str = "", now: datetime) -> bool:
    """Let staff say that it is right: it doesn't count any more; False when it was said before."""
    if not noting.settle(finding, user=user, note=note, now=now):
        return False
    summarising.mark(finding.series_id, finding.start_ms, finding.end_ms)
    return True


def reopen(finding: Finding) -> bool:
    """Let a finding count again; False when it does."""
    if not noting.reopen(finding):
        return False
    summarising.mark(finding.series_id, finding.start_ms, finding.end_ms)
    return True


def _odd_ones(series: Series, rows: Sequence[Row]) -> Any:
    within = Finding.objects.filter(series=series, kind__in=ODD)
    return within.filter(start_ms__gte=rows[0].open_time, start_ms__lte=rows[-1].open_time)


def _gone(series: Series, rows: Sequence[Row], found: Sequence[Seen]) -> list[Finding]:
    still = {(one.kind.value, one.start_ms) for one in found}
    mine = _odd_ones(series, rows).unsettled()
    return [row for row in mine if (row.kind, row.start_ms) not in still]
