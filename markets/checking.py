"""Which rows of an answered page are believed: type, range, order, grid, prices.

What the whole page proves is told too: only a page from which nothing was left out can show
that the exchange itself has no candles somewhere.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import gt, lt
from typing import Final

from markets.adapters.wire import BadAnswerError
from markets.choices import Policy
from markets.rows import Row
from markets.timeframes import Timeframe

#: Stored candles that differ by so much, all of them, are another market's.
OTHER_MARKET: Final = 0.10
OTHER_MARKET_ROWS: Final = 2


class BadRowsError(BadAnswerError):
    """Rows of the page can't be right, and the policy is not to take it without them."""


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
        is_whole: nothing was left out, so a hole in it is the exchange's own.
        egress: which way it came.
    """

    asked: Asked
    rows: list[Row]
    findings: Counter[str] = field(default_factory=Counter)
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
    findings: Counter[str] = Counter()
    kept = _in_order(_within(rows, asked, findings), findings)
    lost = 0
    sound: list[Row] = []
    for row in kept:
        wrong = _fault_of(row, asked.timeframe)
        if wrong:
            findings[wrong] += 1
        if wrong in _UNSTORABLE or (wrong and policy != Policy.KEEP):
            lost += 1
        else:
            sound.append(row)
    faults = [kind for kind in _OF_ROWS if findings[kind]]
    if faults and policy in {Policy.REJECT, Policy.RETRY}:
        raise BadRowsError(f"{asked.symbol}: {', '.join(faults)} in the page")
    return Page(asked, sound, findings, is_whole=not lost and not findings["outside"])


_OF_ROWS: Final = ("misaligned", "not_a_number", "bad_value", "bad_ohlc")
_UNSTORABLE: Final = frozenset({"misaligned", "not_a_number"})


def _within(rows: Sequence[Row], asked: Asked, findings: Counter[str]) -> list[Row]:
    kept = [row for row in rows if asked.start_ms <= row[0] < asked.end_ms]
    if rows and not kept:
        raise BadAnswerError(f"{asked.symbol}: no row is within the range asked for")
    if len(kept) < len(rows):
        findings["outside"] += len(rows) - len(kept)
    return kept


def _in_order(rows: list[Row], findings: Counter[str]) -> list[Row]:
    moments = [row[0] for row in rows]
    if all(map(lt, moments, islice(moments, 1, None))):
        return rows
    findings["out_of_order"] += sum(map(gt, moments, islice(moments, 1, None)))
    once = dict(zip(moments, rows, strict=True))
    if len(once) < len(rows):
        findings["duplicate"] += len(rows) - len(once)
    return [once[moment] for moment in sorted(once)]


def _fault_of(row: Row, timeframe: Timeframe) -> str:
    """Return the worst that is wrong with a row; empty where nothing is."""
    opened, high, low, closed, volume = row[1], row[2], row[3], row[4], row[5]
    plain = not timeframe.is_month and not (row[0] + timeframe.shift_ms) % timeframe.step_ms
    if not plain and not timeframe.has(row[0]):
        return "misaligned"
    if 0 < low <= opened <= high < math.inf and low <= closed <= high and 0 <= volume < math.inf:
        return ""
    if not all(map(math.isfinite, (opened, high, low, closed, volume))):
        return "not_a_number"
    if min(opened, high, low, closed) <= 0 or volume < 0:
        return "bad_value"
    return "bad_ohlc"


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
