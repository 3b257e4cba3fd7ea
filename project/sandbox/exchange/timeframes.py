"""Where the candles of each timeframe open, and how the exchanges spell it."""

from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
HONG_KONG_MS = 8 * HOUR_MS
MONDAY_MS = 3 * DAY_MS
"""1970-01-01 was a Thursday, three days after a Monday."""


@dataclass(frozen=True, slots=True)
class Timeframe:
    """A grid of opening moments.

    Attributes:
        name: our name of it, such as ``1m``.
        step_ms: length of one candle; 0 where candles are months.
        months: length in months; 0 where candles have a fixed length.
        shift_ms: how much earlier than the plain UTC grid candles open.
    """

    name: str
    step_ms: int = 0
    months: int = 0
    shift_ms: int = 0

    def opened(self, moment_ms: int) -> int:
        """Return the opening moment of the candle that ``moment_ms`` falls into."""
        moved_ms = moment_ms + self.shift_ms
        if self.months:
            return _month_ms(_month(moved_ms) // self.months * self.months) - self.shift_ms
        return moved_ms // self.step_ms * self.step_ms - self.shift_ms

    def following(self, open_ms: int) -> int:
        """Return the opening moment of the next candle, which is where this one ends."""
        if self.months:
            return _month_ms(_month(open_ms + self.shift_ms) + self.months) - self.shift_ms
        return open_ms + self.step_ms

    def preceding(self, open_ms: int) -> int:
        """Return the opening moment of the candle before."""
        return self.opened(open_ms - 1)

    def at_or_after(self, moment_ms: int) -> int:
        """Return the first opening moment that is not before ``moment_ms``."""
        open_ms = self.opened(moment_ms)
        return open_ms if open_ms == moment_ms else self.following(open_ms)


def _month(moment_ms: int) -> int:
    day = datetime.fromtimestamp(moment_ms / 1000, tz=UTC)
    return day.year * 12 + day.month - 1


def _month_ms(month: int) -> int:
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000


_FIXED_MS = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "2d": 2 * DAY_MS,
    "3d": 3 * DAY_MS,
}

TIMEFRAMES = {
    **{name: Timeframe(name, step_ms=step_ms) for name, step_ms in _FIXED_MS.items()},
    "1w": Timeframe("1w", step_ms=7 * DAY_MS, shift_ms=MONDAY_MS),
    "1M": Timeframe("1M", months=1),
    "3M": Timeframe("3M", months=3),
}

BINANCE_INTERVALS = {
    name: timeframe for name, timeframe in TIMEFRAMES.items() if name not in ("2d", "3M")
}

_OKX_SHORT = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h")
_OKX_LONG = ("6h", "12h", "1d", "2d", "3d", "1w", "1M", "3M")


def _okx(name: str) -> str:
    return name if name.endswith("m") else name.upper()


def _hong_kong(timeframe: Timeframe) -> Timeframe:
    return Timeframe(
        f"{timeframe.name}+8",
        step_ms=timeframe.step_ms,
        months=timeframe.months,
        shift_ms=timeframe.shift_ms + HONG_KONG_MS,
    )


OKX_BARS = {
    **{_okx(name): TIMEFRAMES[name] for name in _OKX_SHORT},
    **{f"{_okx(name)}utc": TIMEFRAMES[name] for name in _OKX_LONG},
    **{_okx(name): _hong_kong(TIMEFRAMES[name]) for name in _OKX_LONG},
}
"""OKX opens long bars by Hong Kong's midnight unless their name ends in ``utc``."""
