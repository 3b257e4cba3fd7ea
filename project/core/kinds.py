"""Which kinds of run there are: their limits, attempts and names for people.

Each app registers its own in ``<app>/kinds.py``; a kind's name is also its task's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """What is common to all runs of one kind.

    Attributes:
        name: ``app.verb``, also the name of the Celery task that does the work.
        label: for people, e.g. ``"Collect candles"``.
        limit_s: seconds one attempt may take; after that its worker is restarted.
        max_attempts: attempts before a transient failure, or a worker's death, is final.
        loop: name in the ``loop_…`` metrics, where the kind is one of the product's loops.
        alone: at most one unended run that was asked without a key of its own.
    """

    name: str
    label: str
    limit_s: int
    max_attempts: int = 5
    loop: str = ""
    alone: bool = False


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Make ``kind`` known and return it."""
    if _kinds.setdefault(kind.name, kind) != kind:
        raise ValueError(f"kind {kind.name} is registered twice, differently")
    return kind


def get(name: str) -> Kind:
    """Return the kind called ``name``.

    Raises:
        KeyError: no app registered it.
    """
    return _kinds[name]


def known() -> Mapping[str, Kind]:
    """Return all kinds by name."""
    return MappingProxyType(_kinds)


REMEMBER: Final = register(
    Kind("core.figures", "Remember the key figures", limit_s=120, max_attempts=1, alone=True)
)
CLEAN_UP: Final = register(
    Kind("core.clean_up", "Clean up old runs and events", limit_s=600, loop="clean-up", alone=True)
)
