"""What is wrong right now, each with the way to put it right; each app registers its own."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

logger = logging.getLogger(__name__)
RED: Final = "red"
AMBER: Final = "amber"


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that needs a person.

    Attributes:
        code: stable, e.g. ``"worker_silent"``.
        severity: ``red`` makes the installation unhealthy, ``amber`` degraded.
        text: what is wrong, in a sentence.
        action: what the button says; empty without one.
        url: where the button leads.
    """

    code: str
    severity: str
    text: str
    action: str = ""
    url: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


Source = Callable[[datetime], list[Issue]]
_sources: list[Source] = []


def register(source: Source) -> Source:
    """Let ``source`` tell issues; called with the moment, UTC."""
    if source not in _sources:
        _sources.append(source)
    return source


def _told_by(source: Source, now: datetime) -> list[Issue]:
    try:
        return source(now)
    except Exception:  # health must be told even where an app's view of it is broken
        logger.exception("issues not told")
        name = f"{source.__module__}.{getattr(source, '__name__', 'source')}"
        return [Issue("source_failing", AMBER, f"{name} could not be asked: see the log")]


def current(*, now: datetime) -> list[Issue]:
    """Return all issues, the worst first; a source that fails is one itself."""
    found = [issue for source in _sources for issue in _told_by(source, now)]
    return sorted(found, key=lambda issue: (issue.severity != RED, issue.code, issue.text))
