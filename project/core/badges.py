"""What every page of the console shows at its top: each part that is not as it usually is."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Badge:
    """One thing that is not as usual.

    Attributes:
        text: in a few words, e.g. ``"Collecting stopped"``.
        title: since when, by whom and why.
        url: where it is put right.
        tone: ``warning`` or ``bad``.
    """

    text: str
    title: str
    url: str
    tone: str = "warning"


Source = Callable[[datetime], list[Badge]]
_sources: list[Source] = []


def register(source: Source) -> Source:
    """Let ``source`` tell badges; called with the moment, UTC, for each page: one query at most."""
    if source not in _sources:
        _sources.append(source)
    return source


def current(*, now: datetime) -> list[Badge]:
    """Return all badges, in the order in which apps registered; a broken source has none."""
    return [badge for source in _sources for badge in _told_by(source, now)]


def _told_by(source: Source, now: datetime) -> list[Badge]:
    try:
        return source(now)
    except DatabaseError:
        raise
    except Exception:  # a broken badge must not shut every page of the console
        logger.exception("badges not told")
        return []
