"""The key figures of the dashboard; each app registers its own."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import DatabaseError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure.

    Attributes:
        name: stable, e.g. ``"gaps_open"``.
        label: for people.
        value: as shown, e.g. ``"1,024"``.
        hint: a line of context, e.g. ``"+2 in 24 h · oldest 2 h"``.
        url: the filtered list behind it.
        tone: ``neutral``, ``good``, ``warning`` or ``bad``.
        amount: the number behind ``value``, where that can't be read from it.
        trend: the last day's numbers, the oldest first, now last; empty while there are none.
    """

    name: str
    label: str
    value: str
    hint: str
    url: str
    tone: str = "neutral"
    amount: float | None = None
    trend: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


Source = Callable[[datetime], list[Figure]]
_sources: list[Source] = []


def register(source: Source) -> Source:
    """Let ``source`` tell figures; called with the moment, UTC."""
    if source not in _sources:
        _sources.append(source)
    return source


def _told_by(source: Source, now: datetime) -> list[Figure]:
    try:
        return source(now)
    except DatabaseError:
        raise
    except Exception:  # one app's broken figure must not take everybody's dashboard down
        logger.exception("figures not told")
        return []


def current(*, now: datetime) -> list[Figure]:
    """Return all figures, in the order in which apps registered; those of a broken source lack."""
    return [figure for source in _sources for figure in _told_by(source, now)]
