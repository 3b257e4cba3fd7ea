"""Which candles a reader gets: chunk by chunk, so that memory stays flat."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from markets import resampling, timeframes
from markets.models import Candle, Market, Series
from markets.resampling import Resampler
from markets.timeframes import Timeframe
from project.core.errors import FieldProblem, InvalidInputError, NotFoundError

CHUNK: Final = 5_000
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
        raise _not_kept(market, timeframe)
    return series


def require_timeframe(market: Market | None, timeframe: str | None) -> None:
    """Refuse a timeframe that there isn't, or that the market (where one is named) isn't kept in.

    Raises:
        UnknownTimeframeError: as it says.
    """
    if timeframe and market is not None:
        series_of(market, timeframe)
    elif timeframe:
        timeframes.of(timeframe)


def _not_kept(market: Market, timeframe: str) -> timeframes.UnknownTimeframeError:
    kept = sorted(market.series.values_list("timeframe", flat=True))
    return timeframes.UnknownTimeframeError(
        f"{market} is not kept in {timeframe}; it is in {', '.join(kept) or 'none'}",
        fields=(FieldProblem("timeframe", "unknown_timeframe", "one that is kept"),),
    )


def chunk(series: Series, window: Window, after_ms: int | None, count: int) -> list[Any]:
    """Return the next stored candles of a window, one short query."""
    start_ms = window.start_ms if after_ms is None else after_ms + 1
    rows = Candle.objects.filter(series=series).within(start_ms, window.end_ms)
    return list(rows.order_by("open_time").values_list(*_NAMES)[:count])


class Reader:
    """Reads a window chunk by chunk; told candles may include flagged fill-ins, never stored ones.

    Attributes:
        count: candles read so far.
        next_ms: where a following window starts; None where this one reaches its end.
        missing: of the last chunk, how many parts each incomplete candle lacks, by its opening.
    """

    def __init__(self, candles: "Kept | Resampled", window: Window) -> None:
        """Read ``candles`` (see ``candles_of``).

        Raises:
            BadReadError: the end is not after the start.
        """
        self._candles = candles
        self._window = _placed(candles, window)
        self._left = window.limit
        self._is_over = False
        self._flow = self._filled() if window.fill == "previous" else self._stored()
        self.next_ms: int | None = None
        self.count = 0
        self.missing: dict[int, int] = {}

    def read(self) -> list[Told]:
        """Return the next candles; an empty list at the end."""
        told = self._next()
        self.count += len(told)
        return told

    def _next(self) -> list[Told]:
        self.missing.clear()
        if self._is_over:
            return []
        if self._left is None:
            return list(islice(self._flow, CHUNK))
        told = list(islice(self._flow, min(CHUNK, self._left)))
        self._left -= len(told)
        if not self._left:
            kept = dict(self.missing)
            following = next(self._flow, None)
            self.next_ms = None if following is None else following[0]
            self.missing, self._is_over = kept, True
        return told

    def _stored(self) -> Iterator[Told]:
        while not self._candles.is_over:
            wanted = CHUNK if self._left is None else min(CHUNK, self._left + 1)
            rows, missing = self._candles.read(self._window, wanted)
            self.missing.update(missing)
            for row in rows:
                yield (*row, False)

    def _filled(self) -> Iterator[Told]:
        """Yield the candles, and for each that is missing inside of the series a fill-in."""
        grid, end_ms = self._candles.grid, self._window.end_ms
        start_ms = self._window.start_ms or 0
        last = self._candles.last_before(start_ms)
        for row in self._stored():
            yield from _fill_ins(grid, last, start_ms, row[0])
            yield row
            last = row
        if end_ms is not None and self._candles.goes_on(end_ms):
            yield from _fill_ins(grid, last, start_ms, end_ms)


def _fill_ins(grid: Timeframe, last: Any, start_ms: int, until_ms: int) -> Iterator[Told]:
    """Yield the previous close for each opening after ``last``, in ``[start_ms, until_ms)``."""
    if last is None:
        return
    at, close = max(grid.after(last[0]), grid.ceil(start_ms)), last[4]
    while at < until_ms:
        yield (at, close, close, close, close, 0.0, True, True)
        at = grid.after(at)


class Kept:
    """The candles of a series, as they are stored."""

    source: Series | None = None

    def __init__(self, series: Series) -> None:
        self._series = series
        self._after_ms: int | None = None
        self.grid = timeframes.of(series.timeframe)
        self.is_over = False

    def read(self, window: Window, count: int) -> tuple[list[Any], dict[int, int]]:
        """Return the next ``count`` rows of the window; fewer at its end."""
        rows = chunk(self._series, window, self._after_ms, count)
        self.is_over = len(rows) < count
        if rows:
            self._after_ms = rows[-1][0]
        return rows, {}

    def before(self, end_ms: int | None, count: int) -> int | None:
        """Return when the first of the last ``count`` candles opens; None where there are none."""
        rows = Candle.objects.filter(series=self._series).within(None, end_ms)
        newest = rows.order_by("-open_time").values_list("open_time", flat=True)
        first = list(newest[count - 1 : count]) or list(newest.order_by("open_time")[:1])
        return first[0] if first else None

    def last_before(self, moment_ms: int) -> Any:
        """Return the last row that opens before a moment; None where there is none."""
        rows = Candle.objects.filter(series=self._series).within(None, moment_ms)
        return rows.order_by("-open_time").values_list(*_NAMES).first()

    def goes_on(self, moment_ms: int) -> bool:
        """Say whether a candle is stored that opens at a moment or later."""
        return Candle.objects.filter(series=self._series).within(moment_ms, None).exists()


class Resampled:
    """The candles of a timeframe that isn't stored, made of those of ``source``."""

    def __init__(self, source: Series, grid: Timeframe) -> None:
        self.source = source
        self.grid = grid
        self.is_over = False
        self._made = Resampler(source, grid)
        self._at_ms: int | None = None

    def read(self, window: Window, count: int) -> tuple[list[Any], dict[int, int]]:
        """Return some of the next rows of the window, ``count`` at most, and what they lack."""
        start = window.start_ms or 0 if self._at_ms is None else self._at_ms
        found, self._at_ms = self._made.read(start, window.end_ms, count)
        self.is_over = self._at_ms is None
        rows = [
            (one.open_time, one.open, one.high, one.low, one.close, one.volume, one.final)
            for one in found
        ]
        return rows, {one.open_time: one.missing for one in found if one.missing}

    def before(self, end_ms: int | None, count: int) -> int | None:
        """Return when the first of the last ``count`` candles opens; None where there are none."""
        return self._made.before(end_ms, count)

    def last_before(self, moment_ms: int) -> Any:
        """Return the last row that opens before a moment; None where there is none."""
        opened = self._made.before(moment_ms, 1) if moment_ms > 0 else None
        if opened is None:
            return None
        one = self._made.read(opened, None, 1)[0][0]
        return (one.open_time, one.open, one.high, one.low, one.close, one.volume, one.final)

    def goes_on(self, moment_ms: int) -> bool:
        """Say whether a candle is there that opens at a moment or later."""
        return bool(self._made.read(moment_ms, None, 1)[0])


def candles_of(market: Market, timeframe: str) -> Kept | Resampled:
    """Return a market's candles in a timeframe: those kept, else made of the finest that fits.

    Raises:
        UnknownTimeframeError: there is no such timeframe, or nothing that it can be made of.
    """
    grid = timeframes.of(timeframe)
    series = Series.objects.select_related("market__exchange")
    kept = series.filter(market=market, timeframe=timeframe).first()
    if kept is not None:
        return Kept(kept)
    source = resampling.source_of(market, timeframe)
    if source is None:
        raise _not_kept(market, timeframe)
    return Resampled(source, grid)


def _placed(candles: Kept | Resampled, window: Window) -> Window:
    """Return the window with its start: where none was given, that of the last ``limit`` candles."""
    if None not in (window.start_ms, window.end_ms) and window.start_ms >= window.end_ms:  # type: ignore[operator]
        wrong = FieldProblem("end", "empty_range", "must be after start")
        raise BadReadError("end: must be after start", fields=(wrong,))
    if window.start_ms is not None or window.limit is None:
        return window
    if window.fill == "none":
        return replace(window, start_ms=candles.before(window.end_ms, window.limit) or 0)
    newest = candles.before(window.end_ms, 1)
    if newest is None or (window.limit - 1) * candles.grid.step_ms >= newest:
        return replace(window, start_ms=0)
    start = candles.grid.after(newest, 1 - window.limit)
    return replace(window, start_ms=max(0, start))
