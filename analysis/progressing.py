"""How far a job is, from what its phases have counted."""

from typing import Final

from analysis.choices import WEIGHTS, Phase

_ORDER: Final = list(Phase)


def before(phase: Phase) -> float:
    """Return the percent of the job that is done when ``phase`` begins."""
    return sum(WEIGHTS[one] for one in _ORDER[: _ORDER.index(phase)])


def overall(phase: Phase, done: int, total: int) -> float:
    """Return the percent of the whole job when ``done`` of ``total`` pieces of ``phase`` are done.

    A phase without pieces is done.
    """
    ratio = min(1.0, max(0.0, done / total)) if total > 0 else 1.0
    return before(phase) + WEIGHTS[phase] * ratio
