"""What a candle is, and how one that is still open looks."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from project.sandbox.exchange.timeframes import Timeframe


@dataclass(frozen=True, slots=True)
class Candle:
    """One candle; numbers are the text that goes over the wire."""

    open_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str = "0"
    trades: int = 0
    final: bool = True


class Book(Protocol):
    """All candles of one market, as they are when closed."""

    @property
    def timeframes(self) -> tuple[str, ...]:
        """Names of the timeframes that there are candles of."""

    @property
    def listed_ms(self) -> int:
        """When the market was listed."""

    def forward(self, timeframe: Timeframe, from_ms: int) -> Iterator[Candle]:
        """Yield candles from ``from_ms`` on, oldest first, perhaps without end."""

    def backward(self, timeframe: Timeframe, before_ms: int) -> Iterator[Candle]:
        """Yield candles that open before ``before_ms``, newest first."""

    def unfinished(self, timeframe: Timeframe, candle: Candle, now_ms: int) -> Candle:
        """Return what is seen at ``now_ms`` of a candle that is still open."""


def part_way(candle: Candle, share: Decimal) -> Candle:
    """Return a candle as it looked when ``share`` of its time had passed.

    It starts as a dot at its opening price, reaches its extremes with its end, and its volume
    only grows: so each look differs from the one before, and the last equals the final one.
    """
    opened = Decimal(candle.open)

    def moved(price: str) -> Decimal:
        return opened + (Decimal(price) - opened) * share

    return replace(
        candle,
        high=_like(candle.high, moved(candle.high)),
        low=_like(candle.low, moved(candle.low)),
        close=_like(candle.close, moved(candle.close)),
        volume=_like(candle.volume, Decimal(candle.volume) * share),
        quote_volume=_like(candle.quote_volume, Decimal(candle.quote_volume) * share),
        trades=int(candle.trades * share),
        final=False,
    )


def _like(text: str, value: Decimal) -> str:
    """Write ``value`` with as many decimals as ``text`` has."""
    decimals = len(text.partition(".")[2])
    return f"{value:.{decimals}f}"
