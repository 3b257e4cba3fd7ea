"""Which candles an exchange shows at a moment: closed, open, corrected, or missing."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice

from project.sandbox.clock import MarketClock
from project.sandbox.exchange.candles import Book, Candle
from project.sandbox.exchange.timeframes import TIMEFRAMES, Timeframe


@dataclass(frozen=True, slots=True)
class Market:
    """A market that is traded on both exchanges."""

    symbol: str
    book: Book
    prefix: str = ""

    @property
    def base(self) -> str:
        """What is traded."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """What it is paid with."""
        return self.symbol.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which the exchange made no candles: ``[start_ms, end_ms)``.

    A candle is missing when it lies wholly inside. What is left out matches everything.
    """

    start_ms: int
    end_ms: int
    symbol: str | None = None
    timeframe: str | None = None
    venue: str | None = None

    def swallows(self, ask: "Ask", open_ms: int) -> bool:
        """Say whether a candle is missing because of it."""
        return (
            self.start_ms <= open_ms
            and ask.timeframe.following(open_ms) <= self.end_ms
            and self.symbol in (None, ask.symbol)
            and self.timeframe in (None, ask.timeframe.name)
            and self.venue in (None, ask.venue)
        )


@dataclass(frozen=True, slots=True)
class Correction:
    """New values of one candle, from the moment this is made known; None leaves a value."""

    symbol: str
    timeframe: str
    open_ms: int
    open: str | None = None
    high: str | None = None
    low: str | None = None
    close: str | None = None
    volume: str | None = None
    venue: str | None = None

    def applied(self, candle: Candle) -> Candle:
        """Return the candle with the new values in it."""
        names = ("open", "high", "low", "close", "volume")
        changed = {name: getattr(self, name) for name in names}
        return replace(candle, **{name: text for name, text in changed.items() if text is not None})


@dataclass(frozen=True, slots=True)
class Ask:
    """What a client wants: candles that open in ``[start_ms, end_ms)``, at most ``limit``.

    With ``newest`` the page is filled from the end and comes newest first.
    """

    venue: str
    symbol: str
    timeframe: Timeframe
    start_ms: int
    end_ms: int
    limit: int
    newest: bool = False


class Exchange:
    """All markets, their clock, and what has been done to their candles."""

    def __init__(self, markets: Iterable[Market], *, clock: MarketClock) -> None:
        self.clock = clock
        self.markets: Mapping[str, Market] = {each.symbol: each for each in markets}
        self._lock = threading.Lock()
        self._outages: dict[int, Outage] = {}
        self._corrections: dict[tuple[str, str, int], Correction] = {}
        self._last_id = 0

    def page(self, ask: Ask) -> list[Candle]:
        """Return the candles that a client is shown now."""
        now_ms = self.clock.now_ms()
        with self._lock:
            outages = list(self._outages.values())
        seen = (
            self._as_seen(ask, candle, now_ms)
            for candle in self._candidates(ask, now_ms)
            if not any(outage.swallows(ask, candle.open_ms) for outage in outages)
        )
        return list(islice(seen, max(0, ask.limit)))

    def add_outage(self, outage: Outage) -> int:
        """Take the candles of a time away and return the outage's id."""
        with self._lock:
            self._last_id += 1
            self._outages[self._last_id] = outage
            return self._last_id

    def end_outages(self, outage_id: int | None = None) -> None:
        """Give the candles of one outage, or of all, back."""
        with self._lock:
            if outage_id is None:
                self._outages.clear()
            else:
                self._outages.pop(outage_id, None)

    def correct(self, correction: Correction) -> None:
        """Change a candle from now on; the last correction of a candle wins.

        Raises:
            ValueError: there is no such market.
        """
        if correction.symbol not in self.markets:
            raise ValueError(f"no market {correction.symbol}")
        key = (correction.symbol, correction.timeframe, correction.open_ms)
        with self._lock:
            self._corrections[key] = correction

    def forget_corrections(self) -> None:
        """Show all candles as they were made."""
        with self._lock:
            self._corrections.clear()

    def outages_as_json(self) -> list[dict[str, object]]:
        """Return the outages with their ids."""
        with self._lock:
            return [{"id": number, **asdict(each)} for number, each in self._outages.items()]

    def corrections_as_json(self) -> list[dict[str, object]]:
        """Return the corrections in force."""
        with self._lock:
            return [asdict(each) for each in self._corrections.values()]

    def markets_as_json(self) -> list[dict[str, object]]:
        """Return the markets, where their candles come from, and since when."""
        return [
            {
                "symbol": each.symbol,
                "prefix": each.prefix,
                "timeframes": [name for name in TIMEFRAMES if name in each.book.timeframes],
                "listed_ms": each.book.listed_ms,
            }
            for each in self.markets.values()
        ]

    def _candidates(self, ask: Ask, now_ms: int) -> Iterator[Candle]:
        book = self.markets[ask.symbol].book
        end_ms = min(ask.end_ms, now_ms + 1)
        if ask.start_ms >= end_ms:
            return
        if ask.newest:
            for candle in book.backward(ask.timeframe, end_ms):
                if candle.open_ms < ask.start_ms:
                    return
                yield candle
            return
        for candle in book.forward(ask.timeframe, ask.start_ms):
            if candle.open_ms >= end_ms:
                return
            yield candle

    def _as_seen(self, ask: Ask, candle: Candle, now_ms: int) -> Candle:
        if ask.timeframe.following(candle.open_ms) > now_ms:
            book = self.markets[ask.symbol].book
            return book.unfinished(ask.timeframe, candle, now_ms)
        correction = self._corrections.get((ask.symbol, ask.timeframe.name, candle.open_ms))
        if correction is None or correction.venue not in (None, ask.venue):
            return candle
        return correction.applied(candle)
