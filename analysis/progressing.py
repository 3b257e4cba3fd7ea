"""How far a job is, from what its phases have counted, and what it waits for."""

from collections.abc import Mapping
from typing import Any, Final

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


def counts_while_waiting(what: str, ratio: float) -> dict[str, Any]:
    """Return the counts of a run that waits for ``what``, of which ``ratio``, 0 to 1, is done."""
    return {"waiting_for": what, "waiting_percent": round(100 * ratio)}


def waiting(counts: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the counts of a run say that it waits for, and the percent of that."""
    if "waiting_for" not in counts:
        return None
    return {"what": counts["waiting_for"], "percent": counts["waiting_percent"]}
