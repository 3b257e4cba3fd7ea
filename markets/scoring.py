"""The score of a series' day: one formula, in one place.

``score = 100 * product over the kinds of faults of (1 - weight * min(1, faults / expected))``

Each factor only falls as its count grows, so adding a fault never raises the score.
"""

from collections.abc import Mapping
from typing import Final

#: How much a day that has nothing but this fault loses.
WEIGHTS: Final[Mapping[str, float]] = {
    "missing": 1.0,
    "bad_value": 0.8,
    "bad_ohlc": 0.8,
    "misaligned": 0.5,
    "stalled": 0.5,
    "price_jumps": 0.3,
    "duplicate": 0.2,
    "out_of_order": 0.2,
    "volume_anomalies": 0.1,
    "flat": 0.1,
}


def losses(counts: Mapping[str, int], *, expected: int) -> dict[str, float]:
    """Return by kind which part of the score is lost to it, 0 to 1, the worst first.

    The score is 100 times the product of what each kind leaves.
    """
    found = {
        kind: weight * _share(counts.get(kind, 0), expected) for kind, weight in WEIGHTS.items()
    }
    lost = [(kind, part) for kind, part in found.items() if part]
    return dict(sorted(lost, key=lambda one: -one[1]))


def calculate_quality_score(counts: Mapping[str, int], *, expected: int) -> float:
    """Return the score, 0 to 100, of a window with so many faults.

    Args:
        counts: faults by kind; kinds without a weight don't count.
        expected: candles that the window should have; without any the score is 100.
    """
    score = 100.0
    for kind, weight in WEIGHTS.items():  # in one order: the product of floats depends on it
        score *= 1.0 - weight * _share(counts.get(kind, 0), expected)
    return score


def _share(faults: int, expected: int) -> float:
    return min(1.0, faults / expected) if expected > 0 else 0.0
