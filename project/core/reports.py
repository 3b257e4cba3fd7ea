"""What the page of a run shows besides its history: each app tells it of its own kinds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from project.core.models import Run


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report.

    Attributes:
        label: what it is, for people.
        value: as shown.
        change: against an earlier run, e.g. ``"+1.2"``; empty where there is none.
        share: 0 to 1, drawn as a bar; None without one.
    """

    label: str
    value: str
    change: str = ""
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A titled table on the page of a run."""

    title: str
    hint: str = ""
    lines: Sequence[Line] = field(default_factory=tuple)


Source = Callable[[Run], list[Report]]
_sources: dict[str, Source] = {}


def register(kind: str) -> Callable[[Source], Source]:
    """Let the decorated function tell the reports of runs of ``kind``."""

    def known(source: Source) -> Source:
        _sources[kind] = source
        return source

    return known


def has(kind: str) -> bool:
    """Say whether runs of ``kind`` have reports."""
    return kind in _sources


def of(run: Run) -> list[Report]:
    """Return the reports of ``run``; none where its kind has none, or it has nothing to tell."""
    source = _sources.get(run.kind)
    return source(run) if source else []
