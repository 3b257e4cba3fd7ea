"""The shape of a candle on its way in."""

from typing import NamedTuple


class Row(NamedTuple):
    """One candle; ``open_time`` in milliseconds since 1970 UTC, on the grid once checked."""

    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    final: bool = True
    trades: int | None = None
    quote_volume: float | None = None
