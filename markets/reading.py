"""Which candles a reader gets, and in which form: chunk by chunk, so that memory stays flat."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from markets import timeframes
from markets.models import Candle, Market, Series
from markets.timeframes import Timeframe
from project.core.errors import FieldProblem, InvalidInputError, NotFoundError

CHUNK: Final = 5_000
CSV_HEADING: Final = "open_time_ms,open,high,low,close,volume"
_NAMES: Final = ("open_time", "open", "high", "low", "close", "volume", "final")
#: ``open_time_ms, open, high, low, close, volume, final, filled``
Told = tuple[int, float, float, float, float, float, bool, bool]


class MarketNotFoundError(NotFoundError):
    """There is no such market."""

    title = "No such market"


class BadReadError(InvalidInputError):
    """Candles can't be read like this."""

    code = "bad_range"
    title = "Candles can't be read like this"


@dataclass(frozen=True, slots=True)
class Window:
    """Which candles are read: ``[start_ms, end_ms)``, at most ``limit``.

    Without a start the last ``limit`` before the end are meant.
    """

    start_ms: int | None = None
    end_ms: int | None = None
    limit: int | None = None
    fill: str = "none"


def market_named(name: str) -> Market:
    """Return the market ``exchange:SYMBOL``, e.g. ``binance:BTC/USDT``.

    Raises:
        MarketNotFoundError: there is none.
    """
    exchange, _, symbol = name.partition(":")
    found = Market.objects.named(exchange, symbol).select_related("exchange").first()
    if found is None:
        raise MarketNotFoundError(f"no market {name!r}; write e.g. binance:BTC/USDT")
    return found


def market_by_id(market_id: int) -> Market:
    """Return a market.

    Raises:
        MarketNotFoundError: there is none.
    """
    found = Market.objects.select_related("exchange").filter(pk=market_id).first()
    if found is None:
        raise MarketNotFoundError(f"no market {market_id}")
    return found


def series_of(market: Market, timeframe: str) -> Series:
    """Return the market's series in a timeframe.

    Raises:
        UnknownTimeframeError: there is no such timeframe, or the market isn't kept in it.
    """
    timeframes.of(timeframe)
    found = Series.objects.select_related("market__exchange")
    series = found.filter(market=market, timeframe=timeframe).first()
    if series is None:
        kept = sorted(market.series.values_list("timeframe", flat=True))
        raise timeframes.UnknownTimeframeError(
            f"{market} is not kept in {timeframe}; it is in {', '.join(kept) or 'none'}",
            fields=(FieldProblem("timeframe", "unknown_timeframe", "one that is kept"),),
        )
    return series


def placed(series: Series, window: Window) -> Window:
    """Return the window with its start: where none was given, that of the last ``limit`` candles.

    Raises:
        BadReadError: the end is not after the start.
    """
    if None not in (window.start_ms, window.end_ms) and window.start_ms >= window.end_ms:  # type: ignore[operator]
        wrong = FieldProblem("end", "empty_range", "must be after start")
        raise BadReadError("end: must be after start", fields=(wrong,))
    if window.start_ms is not None or window.limit is None:
        return window
    rows = Candle.objects.filter(series=series).within(None, window.end_ms)
    newest = rows.order_by("-open_time").values_list("open_time", flat=True)
    first = list(newest[window.limit - 1 : window.limit]) or list(newest.order_by("open_time")[:1])
    return Window(first[0] if first else 0, window.end_ms, window.limit, window.fill)


def chunk(series: Series, window: Window, after_ms: int | None, count: int) -> list[Any]:
    """Return the next stored candles of a window, one short query."""
    start_ms = window.start_ms if after_ms is None else after_ms + 1
    rows = Candle.objects.filter(series=series).within(start_ms, window.end_ms)
    return list(rows.order_by("open_time").values_list(*_NAMES)[:count])


class Reader:
    """Reads a window chunk by chunk; told candles may include flagged fill-ins, never stored ones."""

    def __init__(self, series: Series, window: Window) -> None:
        self._series = series
        self._grid = timeframes.of(series.timeframe)
        self._window = placed(series, window)
        self._left = window.limit
        self._after_ms: int | None = None
        self._last: Any = None
        self._is_over = False
        #: Where a following window starts; None where this one reaches its end.
        self.next_ms: int | None = None

    def read(self) -> list[Told]:
        """Return the next candles; an empty list at the end."""
        while not self._is_over:
            wanted = CHUNK if self._left is None else min(CHUNK, self._left + 1)
            rows = chunk(self._series, self._window, self._after_ms, wanted)
            self._is_over = len(rows) < wanted
            told: list[Told] = []
            for row in rows:
                told.extend(self._filled(row))
                self._after_ms, self._last = row[0], row
            told = self._cut(told)
            if told:
                return told
        return []

    def _filled(self, row: Any) -> Iterator[Told]:
        """Yield fill-ins up to ``row`` where they are wanted, then the row."""
        if self._window.fill == "previous" and self._last is not None:
            at, close = self._grid.after(self._last[0]), self._last[4]
            while at < row[0]:
                yield (at, close, close, close, close, 0.0, True, True)
                at = self._grid.after(at)
        yield (*row, False)

    def _cut(self, told: list[Told]) -> list[Told]:
        if self._left is None:
            return told
        if len(told) > self._left:
            self.next_ms = told[self._left][0]
            self._is_over = True
            told = told[: self._left]
        self._left -= len(told)
        return told


def grid_of(series: Series) -> Timeframe:
    """Return the grid of a series."""
    return timeframes.of(series.timeframe)


def as_csv(told: list[Told]) -> bytes:
    """Return candles as lines of CSV, without the heading."""
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(row[:6] for row in told)
    return lines.getvalue().encode()


def as_json(told: list[Told], *, is_first: bool) -> bytes:
    """Return candles as a part of a JSON array, with the comma before where it isn't the first."""
    inner = orjson.dumps(told)[1:-1]
    return inner if is_first or not inner else b"," + inner
