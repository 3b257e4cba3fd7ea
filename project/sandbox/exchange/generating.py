"""Which candles a made-up market has: a seeded walk, the same at every look.

Days are a random walk. A day is split into 24 hours and an hour into 60 minutes, so that the
parts add up to the whole exactly: opens and closes join, one part reaches the high and one the
low, volumes and trades sum. So every timeframe agrees with every other, and a page costs as much
as it has candles, wherever it lies.
"""

import hashlib
import math
import struct
import threading
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from project.sandbox.exchange.candles import Candle
from project.sandbox.exchange.timeframes import DAY_MS, HOUR_MS, MINUTE_MS, TIMEFRAMES, Timeframe

LISTED_MS = 1_577_836_800_000
"""2020-01-01T00:00Z."""

_HOURS = 24
_MINUTES = 60
_DAILY_SHARE = 0.03
_PULL = 0.01
_LOT_DECIMALS = 5


class Bar(NamedTuple):
    """A candle in whole ticks and lots."""

    open: int
    high: int
    low: int
    close: int
    lots: int
    quote: int
    trades: int


class GeneratedBook:
    """The candles of one made-up market."""

    timeframes = tuple(TIMEFRAMES)

    def __init__(
        self, symbol: str, *, seed: int = 1, listed_ms: int = LISTED_MS, price: str | None = None
    ) -> None:
        self._key = f"{seed}:{symbol}".encode()
        self._first_day = listed_ms // DAY_MS
        first = Decimal(price) if price is not None else self._usual_price(symbol)
        self._decimals = max(2, 5 - first.adjusted())
        self._first_ticks = int(first.scaleb(self._decimals))
        self._days: list[Bar] = []
        self._growing = threading.Lock()
        self._hours = lru_cache(maxsize=512)(self._split_day)
        self._minutes = lru_cache(maxsize=4096)(self._split_hour)

    @property
    def listed_ms(self) -> int:
        """When the market was listed: the first midnight of its candles."""
        return self._first_day * DAY_MS

    @property
    def price_decimals(self) -> int:
        """How many decimals its prices have."""
        return self._decimals

    def forward(self, timeframe: Timeframe, from_ms: int) -> Iterator[Candle]:
        """Yield candles from ``from_ms`` on, oldest first, without end."""
        open_ms = timeframe.at_or_after(max(from_ms, self.listed_ms))
        while True:
            yield self._candle(timeframe, open_ms)
            open_ms = timeframe.following(open_ms)

    def backward(self, timeframe: Timeframe, before_ms: int) -> Iterator[Candle]:
        """Yield candles that open before ``before_ms``, newest first."""
        open_ms = timeframe.preceding(before_ms)
        while open_ms >= self.listed_ms:
            yield self._candle(timeframe, open_ms)
            open_ms = timeframe.preceding(open_ms)

    def unfinished(self, timeframe: Timeframe, candle: Candle, now_ms: int) -> Candle:
        """Return what is seen at ``now_ms`` of a candle that is still open."""
        minute_ms = now_ms // MINUTE_MS * MINUTE_MS
        bars = list(self._bars(candle.open_ms, minute_ms))
        minute = next(iter(self._bars(minute_ms, minute_ms + MINUTE_MS)))
        bars.append(_part_of(minute, passed_ms=now_ms - minute_ms))
        return self._as_candle(candle.open_ms, _joined(bars), final=False)

    def _candle(self, timeframe: Timeframe, open_ms: int) -> Candle:
        bars = self._bars(open_ms, timeframe.following(open_ms))
        return self._as_candle(open_ms, _joined(bars), final=True)

    def _bars(self, start_ms: int, end_ms: int) -> Iterator[Bar]:
        """Yield the largest whole days, hours and minutes that fill a range."""
        at_ms = start_ms
        while at_ms < end_ms:
            day, in_day_ms = divmod(at_ms, DAY_MS)
            if not in_day_ms and at_ms + DAY_MS <= end_ms:
                yield self._day(day)
                at_ms += DAY_MS
            elif not in_day_ms % HOUR_MS and at_ms + HOUR_MS <= end_ms:
                yield self._hours(day)[in_day_ms // HOUR_MS]
                at_ms += HOUR_MS
            else:
                yield self._minutes(at_ms // HOUR_MS)[at_ms % HOUR_MS // MINUTE_MS]
                at_ms += MINUTE_MS

    def _day(self, day: int) -> Bar:
        number = day - self._first_day
        if number < 0:
            raise ValueError("the market was not listed yet")
        with self._growing:
            while len(self._days) <= number:
                self._days.append(self._next_day(len(self._days)))
            return self._days[number]

    def _next_day(self, number: int) -> Bar:
        opened = self._days[-1].close if self._days else self._first_ticks
        noise = self._noise("day", number, 16)
        pull = _PULL * math.log(self._first_ticks / opened)
        closed = max(10, round(opened * math.exp(_DAILY_SHARE * _bell(noise[:12]) + pull)))
        high = max(opened, closed) + round(opened * _DAILY_SHARE * noise[12] / 65536)
        low = max(1, min(opened, closed) - round(opened * _DAILY_SHARE * noise[13] / 65536))
        per_tick = 10 ** (self._decimals + _LOT_DECIMALS)
        lots = int(20_000_000 * per_tick // self._first_ticks * (0.5 + noise[14] / 65536))
        middle = (high + low) // 2
        return Bar(opened, high, low, closed, lots, lots * middle, 5_000 + noise[15])

    def _split_day(self, day: int) -> tuple[Bar, ...]:
        return _split(self._day(day), _HOURS, self._noise("hours", day, 4 * _HOURS))

    def _split_hour(self, hour: int) -> tuple[Bar, ...]:
        whole = self._hours(hour // _HOURS)[hour % _HOURS]
        return _split(whole, _MINUTES, self._noise("minutes", hour, 4 * _MINUTES))

    def _noise(self, what: str, number: int, count: int) -> tuple[int, ...]:
        """Return ``count`` numbers of 16 bits, always the same for the same question."""
        digest = hashlib.shake_128(b"%b:%b:%d" % (self._key, what.encode(), number))
        return struct.unpack(f">{count}H", digest.digest(2 * count))

    def _as_candle(self, open_ms: int, bar: Bar, *, final: bool) -> Candle:
        return Candle(
            open_ms=open_ms,
            open=_text(bar.open, self._decimals),
            high=_text(bar.high, self._decimals),
            low=_text(bar.low, self._decimals),
            close=_text(bar.close, self._decimals),
            volume=_text(bar.lots, _LOT_DECIMALS),
            quote_volume=_text(bar.quote, self._decimals + _LOT_DECIMALS),
            trades=bar.trades,
            final=final,
        )

    @staticmethod
    def _usual_price(symbol: str) -> Decimal:
        base, _, quote = symbol.partition("/")
        known = {"BTC": "60000", "ETH": "2500", "SOL": "150", "XRP": "0.6", "BNB": "550"}
        worth = Decimal(known.get(base, "12.5"))
        in_dollars = Decimal(known.get(quote, "1"))
        return (worth / in_dollars).quantize(Decimal("0.00000001"))


def _text(value: int, decimals: int) -> str:
    whole, part = divmod(value, 10**decimals)
    return f"{whole}.{part:0{decimals}d}"


def _bell(noise: tuple[int, ...]) -> float:
    """Return a number with mean 0 and deviation 1: the sum of twelve even ones, less six."""
    return sum(noise) / 65536 - 6


def _joined(bars: Iterable[Bar]) -> Bar:
    each = list(bars)
    return Bar(
        open=each[0].open,
        high=max(bar.high for bar in each),
        low=min(bar.low for bar in each),
        close=each[-1].close,
        lots=sum(bar.lots for bar in each),
        quote=sum(bar.quote for bar in each),
        trades=sum(bar.trades for bar in each),
    )


def _part_of(bar: Bar, *, passed_ms: int) -> Bar:
    """Return a minute as it looks ``passed_ms`` after its opening."""

    def moved(value: int) -> int:
        return bar.open + (value - bar.open) * passed_ms // MINUTE_MS

    def grown(value: int) -> int:
        return value * passed_ms // MINUTE_MS

    return Bar(
        bar.open,
        moved(bar.high),
        moved(bar.low),
        moved(bar.close),
        grown(bar.lots),
        grown(bar.quote),
        grown(bar.trades),
    )


def _split(whole: Bar, parts: int, noise: tuple[int, ...]) -> tuple[Bar, ...]:
    """Split a bar into parts that add up to it exactly."""
    prices = _bridge(whole, noise[:parts])
    spread = (whole.high - whole.low) / parts
    tops, bottoms = [], []
    for number in range(parts):
        pair = prices[number : number + 2]
        up, down = noise[parts + number] / 65536, noise[2 * parts + number] / 65536
        tops.append(min(whole.high, max(pair) + round(spread * up)))
        bottoms.append(max(whole.low, min(pair) - round(spread * down)))
    tops[tops.index(max(tops))] = whole.high
    bottoms[bottoms.index(min(bottoms))] = whole.low
    weights = [1_000 + each for each in noise[3 * parts : 4 * parts]]
    shared = zip(
        *(_shares(amount, weights) for amount in (whole.lots, whole.quote, whole.trades)),
        strict=True,
    )
    return tuple(
        Bar(prices[number], tops[number], bottoms[number], prices[number + 1], *amounts)
        for number, amounts in enumerate(shared)
    )


def _bridge(whole: Bar, noise: tuple[int, ...]) -> list[int]:
    """Return a walk from the open to the close that stays between low and high."""
    parts = len(noise)
    walk = [0.0]
    for each in noise:
        walk.append(walk[-1] + each / 65536 - 0.5)
    strayed = [value - walk[-1] * step / parts for step, value in enumerate(walk)]
    scale = 0.6 * (whole.high - whole.low) / ((max(strayed) - min(strayed)) or 1.0)
    rise = whole.close - whole.open
    prices = [
        min(whole.high, max(whole.low, round(whole.open + rise * step / parts + scale * value)))
        for step, value in enumerate(strayed)
    ]
    prices[0], prices[-1] = whole.open, whole.close
    return prices


def _shares(amount: int, weights: list[int]) -> Iterator[int]:
    """Split a whole number by weights without losing any of it."""
    total, passed, given = sum(weights), 0, 0
    for weight in weights:
        passed += weight
        due = amount * passed // total
        yield due - given
        given = due
