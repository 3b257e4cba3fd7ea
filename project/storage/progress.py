"""How long work tells how far it is, and how it is stopped: a run's ``Work``, or a terminal."""

from collections.abc import Callable
from typing import Any, Final, Protocol

#: Called at safe points with the done share of the present phase (0 to 1); raises to stop.
Tick = Callable[[float], None]


class Progress(Protocol):
    """Whom work reports to; ``project.core.working.Work`` is one."""

    def report(
        self,
        *,
        phase: str | None = None,
        progress: float | None = None,
        counts: dict[str, Any] | None = None,
    ) -> None:
        """Tell how far the work is; raises when it is to stop."""

    def leave_partial(self, message: str) -> None:
        """Say that some of it could not be done."""


class Told:
    """A ``Progress`` for whoever sits at a terminal: each phase is a line."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say: Final = say
        self._phase = ""
        self.partial = ""

    def report(
        self,
        *,
        phase: str | None = None,
        progress: float | None = None,
        counts: dict[str, Any] | None = None,
    ) -> None:
        """Say the name of a new phase."""
        if phase is not None and phase != self._phase:
            self._phase = phase
            self._say(f"  {phase} ...")

    def leave_partial(self, message: str) -> None:
        """Say what could not be done."""
        self.partial = message
        self._say(f"  not done: {message}")


def ignore(_: float) -> None:
    """Be the ``Tick`` of work that nobody watches."""


def within(to: Progress, *, phase: str, start: float, end: float) -> Tick:
    """Announce ``phase`` and return its tick, which stands for the percents ``start`` to ``end``."""
    to.report(phase=phase, progress=start)
    return lambda done: to.report(progress=start + (end - start) * min(1.0, max(0.0, done)))
