"""What charts of history have in common: how fine they are, and how many points they draw."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

T = TypeVar("T")
MOST_POINTS: Final = 1_500


def grain_for(minutes: int, *, kept_s: Mapping[T, int]) -> T:
    """Return the finest grain that reaches back so far, else the coarsest.

    Args:
        minutes: how far back.
        kept_s: for how many seconds rows of each grain are kept, the finest first.
    """
    reaching = (grain for grain, until_s in kept_s.items() if minutes * 60 <= until_s)
    return next(reaching, list(kept_s)[-1])


def drawn(seconds: Iterable[int]) -> list[int]:
    """Return the moments that are drawn, in order: every nth, the latest among them."""
    known = sorted(seconds)
    step = 1 + len(known) // MOST_POINTS
    return known[::-1][::step][::-1]
