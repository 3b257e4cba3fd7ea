"""How good a proxy is: a score from decayed evidence, and the pool that the score earns.

``score = 100 * (good + PRIOR * PRIOR_VALUE) / (total + PRIOR)``, where ``total`` is the weight of
all evidence, ``good`` the part that spoke for the proxy, and both halve every ``HALF_LIFE``.
So one good check of a new proxy gives 75, a second 83, and without news a score drifts to 50.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from proxies.choices import Outcome, Pool

HALF_LIFE: Final = timedelta(hours=1)
PRIOR: Final = 1.0
PRIOR_VALUE: Final = 0.5
#: A good answer counts whole up to the first latency, and down to ``SLOW_VALUE`` at the second.
FAST_MS: Final = 1000.0
SLOW_MS: Final = 10000.0
SLOW_VALUE: Final = 0.6
CHECK_WEIGHT: Final = 1.0
#: Weight of what holders report. What a site did to its visitor says nothing of the proxy.
OUTCOME_WEIGHT: Final[Mapping[str, float]] = {
    Outcome.OK: 0.25,
    Outcome.TIMEOUT: 0.5,
    Outcome.REFUSED: 1.0,
    Outcome.MISMATCH: 0.5,
    Outcome.ERROR: 0.25,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a proxy, as two decayed weights.

    Attributes:
        good: weight of what spoke for it.
        total: weight of everything.
        at: the moment to which both have decayed; None before any evidence.
    """

    good: float = 0.0
    total: float = 0.0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """The scores at which a proxy enters a pool and leaves it."""

    enter: float
    leave: float


def decay(evidence: Evidence, *, at: datetime) -> Evidence:
    """Return ``evidence`` as it weighs at ``at``; never heavier than before."""
    if evidence.at is None or at <= evidence.at:
        return evidence
    factor = 0.5 ** ((at - evidence.at) / HALF_LIFE)
    return Evidence(evidence.good * factor, evidence.total * factor, at)


def add(evidence: Evidence, *, value: float, weight: float, at: datetime) -> Evidence:
    """Return ``evidence`` with one more piece; the order in which pieces come doesn't matter.

    Args:
        evidence: what is known.
        value: from 0, against the proxy, to 1, for it.
        weight: how much it counts when it is fresh.
        at: when it was seen, UTC.
    """
    known = decay(evidence, at=at)
    if known.at is not None and at < known.at:
        weight *= 0.5 ** ((known.at - at) / HALF_LIFE)
    good = known.good + weight * min(1.0, max(0.0, value))
    total = known.total + weight
    return Evidence(min(good, total), total, max(known.at or at, at))


def score_of(evidence: Evidence, *, at: datetime) -> float:
    """Return the score, 0 to 100, that ``evidence`` gives at ``at``."""
    known = decay(evidence, at=at)
    score = 100 * (known.good + PRIOR * PRIOR_VALUE) / (known.total + PRIOR)
    return min(100.0, max(0.0, score))


def value_of_latency(latency_ms: float) -> float:
    """Return what a good answer is worth, by the time it took."""
    share = (latency_ms - FAST_MS) / (SLOW_MS - FAST_MS)
    return 1 - (1 - SLOW_VALUE) * min(1.0, max(0.0, share))


def pool_of(score: float, *, current: str, bounds: Mapping[str, Bounds]) -> Pool:
    """Return the pool that ``score`` earns: a member stays until it falls below ``leave``.

    Args:
        score: 0 to 100.
        current: the pool where it is now; empty for none.
        bounds: of each pool; ``COLD`` takes what no other does.
    """
    was_hot = current == Pool.HOT
    was_warm = was_hot or current == Pool.WARM
    for pool, was_in in ((Pool.HOT, was_hot), (Pool.WARM, was_warm)):
        if pool in bounds and score >= (bounds[pool].leave if was_in else bounds[pool].enter):
            return pool
    return Pool.COLD
