"""How much may be asked of an exchange in how long, and what one request takes of that."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: Requests are spread by so much more than the plain average: arrival times jitter.
SPREAD: Final = 1.05
_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many ``units`` in any ``per_s`` seconds.

    Attributes:
        units: requests, or what they weigh.
        per_s: length of the window, seconds.
        by_weight: each request takes as many units as it weighs; else it takes one.
    """

    units: float
    per_s: float
    by_weight: bool = False

    @property
    def burst(self) -> float:
        """Units that may leave at once after a rest; they are taken off the steady rate."""
        return max(1.0, self.units // 20)

    @property
    def unit_us(self) -> int:
        """Microseconds between two units of a steady stream."""
        steady = self.units if self.burst == 1 else self.units - self.burst
        return math.ceil(self.per_s * _US * SPREAD / steady)

    def taken_us(self, weight: float) -> float:
        """Return how long a request of that weight keeps the rate busy, microseconds."""
        return self.unit_us * (weight if self.by_weight else 1.0)

    def __str__(self) -> str:
        what = "weight" if self.by_weight else "requests"
        if self.units == 1:
            return f"{1 / self.per_s:,.2g} {what} a second"
        return f"{self.units:,g} {what} in {self.per_s:,g} s"


def taken_us(rates: Sequence[Rate], weight: float) -> int:
    """Return how long a request keeps the slowest of the rates busy, microseconds."""
    return int(max(rate.taken_us(weight) for rate in rates))


def lead_us(rates: Sequence[Rate]) -> int:
    """Return how far requests may run ahead of a steady stream: the shortest burst of the rates."""
    return int(min(rate.burst * rate.unit_us for rate in rates))
