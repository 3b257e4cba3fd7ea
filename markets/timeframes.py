"""The grids of candles: where each timeframe opens, and how many fit into a range.

Every grid starts at 1970-01-01T00:00Z, weeks on Mondays, months on their first day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from project.core.errors import FieldProblem, InvalidInputError

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS


class UnknownTimeframeError(InvalidInputError):
    """There is no such timeframe."""

    code = "unknown_timeframe"
    title = "Unknown timeframe"


@dataclass(frozen=True, slots=True)
class Timeframe:
    """A grid of opening moments, in milliseconds since 1970 UTC.

    Attributes:
        name: as exchanges and files spell it, e.g. ``"1m"``.
        step_ms: length of one candle; for months the shortest, 28 days.
        shift_ms: how much earlier than the plain grid candles open.
        is_month: candles are calendar months.
    """

    name: str
    step_ms: int
    shift_ms: int = 0
    is_month: bool = False

    def floor(self, moment_ms: int) -> int:
        """Return when the candle opened into which ``moment_ms`` falls."""
        if self.is_month:
            return _month_ms(_month(moment_ms))
        return (moment_ms + self.shift_ms) // self.step_ms * self.step_ms - self.shift_ms

    def ceil(self, moment_ms: int) -> int:
        """Return the first opening moment that is not before ``moment_ms``."""
        opened = self.floor(moment_ms)
        return opened if opened == moment_ms else self.after(opened)

    def after(self, open_ms: int, steps: int = 1) -> int:
        """Return the opening moment ``steps`` candles after ``open_ms``, which is on the grid."""
        if self.is_month:
            return _month_ms(_month(open_ms) + steps)
        return open_ms + steps * self.step_ms

    def has(self, moment_ms: int) -> bool:
        """Say whether a candle opens at ``moment_ms``."""
        return self.floor(moment_ms) == moment_ms

    def count(self, start_ms: int, end_ms: int) -> int:
        """Return how many candles open in ``[start_ms, end_ms)``; both on the grid."""
        if self.is_month:
            return max(0, _month(end_ms) - _month(start_ms))
        return max(0, (end_ms - start_ms) // self.step_ms)

    def is_made_of(self, finer: "Timeframe") -> bool:
        """Say whether candles of this grid are whole numbers of ``finer`` ones, end to end."""
        if finer.is_month or finer.name == self.name:
            return False
        if self.is_month:  # months begin at midnight, but neither on Mondays nor every third day
            return DAY_MS % finer.step_ms == 0
        fits = self.step_ms % finer.step_ms == 0
        return fits and (self.shift_ms - finer.shift_ms) % finer.step_ms == 0

    def windows(self, start_ms: int, end_ms: int, *, limit: int) -> Iterator[tuple[int, int]]:
        """Yield the half-open windows of at most ``limit`` candles that make up a range."""
        at = start_ms
        while at < end_ms:
            following = min(self.after(at, limit), end_ms)
            yield at, following
            at = following


def _month(moment_ms: int) -> int:
    day = datetime.fromtimestamp(moment_ms / 1000, tz=UTC)
    return day.year * 12 + day.month - 1


def _month_ms(month: int) -> int:
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000


_FIXED: Final = {
    "1s": 1000,
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
    "3d": 3 * DAY_MS,
}
KNOWN: Final = {
    **{name: Timeframe(name, step_ms) for name, step_ms in _FIXED.items()},
    "1w": Timeframe("1w", 7 * DAY_MS, shift_ms=3 * DAY_MS),  # 1970-01-01 was a Thursday
    "1M": Timeframe("1M", 28 * DAY_MS, is_month=True),
}


def of(name: str) -> Timeframe:
    """Return the timeframe called ``name``.

    Raises:
        UnknownTimeframeError: there is none.
    """
    try:
        return KNOWN[name]
    except KeyError as error:
        raise UnknownTimeframeError(
            f"there is no timeframe {name!r}; there are {', '.join(KNOWN)}",
            fields=(FieldProblem("timeframe", "unknown_timeframe", "one that there is"),),
        ) from error
