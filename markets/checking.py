"""Which rows of an answered page are believed: type, range, order, grid, prices.

The page is looked at column by column; rows are touched one by one only where something is wrong.
What the whole page proves is told too: only a page from which nothing was left out can show
that the exchange itself has no candles somewhere.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Final

import polars as pl

from markets import detecting
from markets.adapters.wire import BadAnswerError
from markets.choices import WRONG, FindingKind, Policy
from markets.noting import Seen
from markets.rows import Row
from markets.timeframes import Timeframe

#: Stored candles that differ by so much, all of them, are another market's.
OTHER_MARKET: Final = 0.10
OTHER_MARKET_ROWS: Final = 2


class BadRowsError(BadAnswerError):
    """Rows of the page can't be right, and the policy is not to take it without them.

    ``seen`` is what was wrong, to be kept though the page is not.
    """

    def __init__(self, text: str, seen: tuple[Seen, ...] = ()) -> None:
        super().__init__(text)
        self.seen = seen


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page was asked for: ``[start_ms, end_ms)`` on the grid of a timeframe."""

    symbol: str
    timeframe: Timeframe
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was checked.

    Attributes:
        rows: ascending, each moment once, on the grid and within what was asked for.
        findings: how many rows were wrong, by kind.
        seen: the same row by row, to be kept (``noting``).
        is_whole: nothing was left out, so a hole in it is the exchange's own.
        egress: which way it came.
    """

    asked: Asked
    rows: list[Row]
    findings: Counter[str] = field(default_factory=Counter)
    seen: tuple[Seen, ...] = ()
    is_whole: bool = True
    egress: str = ""


def check(rows: Sequence[Row], asked: Asked, *, policy: Policy) -> Page:
    """Return the page with what is wrong dealt with as ``policy`` says.

    Kinds of findings: ``duplicate``, ``out_of_order``, ``outside`` (of the range asked for),
    ``misaligned``, ``not_a_number`` (not finite either), ``bad_value`` (a price that isn't
    positive, a negative volume), ``bad_ohlc``. Moments off the grid and values that are no numbers can't be stored under any policy.

    Raises:
        BadAnswerError: no row is within the range asked for, though there are rows.
        BadRowsError: rows can't be right, and the policy is to reject or to retry.
    """
    if not rows:
        return Page(asked, [])
    judged = _judged(detecting.frame_of(rows), asked)
    if judged["kind"].null_count() == len(rows) and _is_ascending(judged):
        return Page(asked, list(rows))
    kinds = judged["kind"].to_list()
    if all(kind == _OUTSIDE for kind in kinds):
        raise BadAnswerError(f"{asked.symbol}: no row is within the range asked for")
    seen = list(_wrong(rows, kinds, asked, policy))
    if policy in {Policy.REJECT, Policy.RETRY} and any(one.kind in WRONG for one in seen):
        faults = [kind for kind in WRONG if any(one.kind == kind for one in seen)]
        raise BadRowsError(f"{asked.symbol}: {', '.join(faults)} in the page", tuple(seen))
    kept = list(compress(rows, [not kind or _stays(kind, policy) for kind in kinds]))
    is_whole = len(kept) == len(rows)
    kept, unordered = _in_order(kept, asked)
    found = (*seen, *unordered)
    counts: Counter[str] = Counter()
    for one in found:
        counts[one.kind.value] += one.count
    return Page(asked, kept, counts, found, is_whole=is_whole)


_OUTSIDE: Final = FindingKind.OUTSIDE
_UNSTORABLE: Final = frozenset(
    {FindingKind.OUTSIDE, FindingKind.MISALIGNED, FindingKind.NOT_A_NUMBER}
)
_VALUES: Final = ("open", "high", "low", "close", "volume")


def _stays(kind: str, policy: Policy) -> bool:
    return policy == Policy.KEEP and kind not in _UNSTORABLE


def _is_ascending(frame: pl.DataFrame) -> bool:
    return bool((frame["open_time"].diff().drop_nulls() > 0).all())


def _judged(frame: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Add the worst that is wrong with each row; null where nothing is."""
    moment = pl.col("open_time")
    numbers = [pl.col(name) for name in _VALUES]
    opened, high, low, closed, volume = numbers
    lies_within = (moment >= asked.start_ms) & (moment < asked.end_ms)
    is_finite = pl.all_horizontal([number.is_finite() for number in numbers])
    is_possible = (pl.min_horizontal(opened, high, low, closed) > 0) & (volume >= 0)
    is_sound = (low <= opened) & (opened <= high) & (low <= closed) & (closed <= high)
    kind = (
        pl.when(~lies_within.fill_null(value=False))
        .then(pl.lit(FindingKind.OUTSIDE.value))
        .when(~_on_grid(frame, asked.timeframe))
        .then(pl.lit(FindingKind.MISALIGNED.value))
        .when(~is_finite.fill_null(value=False))
        .then(pl.lit(FindingKind.NOT_A_NUMBER.value))
        .when(~is_possible)
        .then(pl.lit(FindingKind.BAD_VALUE.value))
        .when(~is_sound)
        .then(pl.lit(FindingKind.BAD_OHLC.value))
    )
    return frame.select("open_time", kind=kind)


def _on_grid(frame: pl.DataFrame, timeframe: Timeframe) -> Any:
    if timeframe.is_month:  # steps differ, and a page has few
        return pl.Series(
            [moment is not None and timeframe.has(moment) for moment in frame["open_time"]]
        )
    return (pl.col("open_time") + timeframe.shift_ms) % timeframe.step_ms == 0


def _wrong(
    rows: Sequence[Row], kinds: Sequence[str | None], asked: Asked, policy: Policy
) -> Iterator[Seen]:
    """Yield what is wrong row by row; those outside of the range are told once, at its start."""
    outside = [row.open_time for row, kind in zip(rows, kinds, strict=True) if kind == _OUTSIDE]
    if outside:
        told = {"first_ms": str(min(outside)), "last_ms": str(max(outside))}
        span = (asked.start_ms, asked.end_ms)
        yield Seen(_OUTSIDE, *span, count=len(outside), is_stored=False, detail=told)
    for row, kind in zip(rows, kinds, strict=True):
        if kind and kind != _OUTSIDE:
            yield _seen(row, kind, asked, policy)


def _seen(row: Row, kind: str, asked: Asked, policy: Policy) -> Seen:
    values = {name: _shown(value) for name, value in zip(_VALUES, row[1:6], strict=True)}
    step_ms = asked.timeframe.step_ms
    return Seen(
        FindingKind(kind),
        row.open_time,
        row.open_time + step_ms,
        is_stored=_stays(kind, policy),
        detail=values,
    )


def _shown(value: float) -> float | str:
    """Return a value as JSON can say it."""
    return value if abs(value) < float("inf") else str(value)


def _in_order(rows: list[Row], asked: Asked) -> tuple[list[Row], list[Seen]]:
    """Return the rows ascending, each moment once (the last one that came), and what was wrong."""
    step_ms, seen, once = asked.timeframe.step_ms, list[Seen](), dict[int, Row]()
    latest = -1
    for row in rows:
        opened = row.open_time
        span = (opened, opened + step_ms)
        if opened < latest:
            seen.append(Seen(FindingKind.OUT_OF_ORDER, *span, detail={"came_after": latest}))
        if opened in once:
            said = {"contradicts": once[opened][1:6] != row[1:6]}
            seen.append(Seen(FindingKind.DUPLICATE, *span, detail=said))
        once[opened] = row
        latest = opened
    return [once[moment] for moment in sorted(once)], seen


def require_same_market(rows: Iterable[Row], stored: dict[int, float], *, symbol: str) -> None:
    """Refuse a page whose candles all contradict those stored: it is of another market.

    Args:
        rows: the page.
        stored: closes of final candles that are stored, by moment.
        symbol: for the message.

    Raises:
        BadAnswerError: two or more are stored, and every one of them differs by a tenth or more.
    """
    pairs = [(row.close, stored[row.open_time]) for row in rows if row.open_time in stored]
    if len(pairs) < OTHER_MARKET_ROWS:
        return
    if all(abs(new - old) >= OTHER_MARKET * abs(old) for new, old in pairs):
        raise BadAnswerError(f"{symbol}: the candles are another market's")
