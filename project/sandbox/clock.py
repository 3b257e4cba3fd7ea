"""What time it is in the sandbox's markets: real, frozen, set, or faster than life."""

import time
from collections.abc import Callable
from dataclasses import dataclass

WallClock = Callable[[], int]


def wall_ms() -> int:
    """Return the machine's time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class _Anchor:
    """At ``wall_ms`` the markets' clock showed ``market_ms``; both held in one object."""

    market_ms: int
    wall_ms: int
    rate: float


class MarketClock:
    """A clock that tests and the control endpoint can move.

    Another thread may move it: each change replaces one reference, so a reader sees the old
    time or the new one, never a mixture.
    """

    def __init__(self, *, wall: WallClock = wall_ms) -> None:
        self._wall = wall
        self._anchor: _Anchor | None = None

    @property
    def mode(self) -> str:
        """``"real"``, ``"frozen"`` or ``"running"`` (from a set moment, at a set rate)."""
        if self._anchor is None:
            return "real"
        return "running" if self._anchor.rate else "frozen"

    @property
    def rate(self) -> float:
        """How many market seconds pass in one second."""
        return 1.0 if self._anchor is None else self._anchor.rate

    def now_ms(self) -> int:
        """Return the markets' time in milliseconds since 1970, UTC."""
        anchor = self._anchor
        if anchor is None:
            return self._wall()
        return anchor.market_ms + int((self._wall() - anchor.wall_ms) * anchor.rate)

    def freeze(self, at_ms: int | None = None) -> None:
        """Stop the clock, at ``at_ms`` or where it is."""
        self.run(rate=0.0, from_ms=at_ms)

    def run(self, *, rate: float = 1.0, from_ms: int | None = None) -> None:
        """Let the clock run at ``rate`` from ``from_ms``, or from where it is."""
        start_ms = self.now_ms() if from_ms is None else from_ms
        self._anchor = _Anchor(market_ms=start_ms, wall_ms=self._wall(), rate=rate)

    def advance(self, by_ms: int) -> None:
        """Move the clock forward by ``by_ms``, keeping its rate."""
        self.run(rate=self.rate, from_ms=self.now_ms() + by_ms)

    def follow_wall(self) -> None:
        """Show real time again."""
        self._anchor = None
