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
    "price_jumps": 0.3,
    "duplicate": 0.2,
    "out_of_order": 0.2,
    "volume_anomalies": 0.1,
}


def calculate_quality_score(counts: Mapping[str, int], *, expected: int) -> float:
    """Return the score, 0 to 100, of a window with so many faults.

    Args:
        counts: faults by kind; kinds without a weight don't count.
        expected: candles that the window should have; without any the score is 100.
    """
    if expected <= 0:
        return 100.0
    score = 100.0
    for kind, weight in WEIGHTS.items():
        score *= 1.0 - weight * min(1.0, counts.get(kind, 0) / expected)
    return score
