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
    """Announce ``phase`` and return its tick, which stands for the percents ``start`` to ``end``.

    The share never goes back, so that parts of the work may tick without knowing it.
    """
    to.report(phase=phase, progress=start)
    best = 0.0

    def tick(done: float) -> None:
        nonlocal best
        best = max(best, min(1.0, done))
        to.report(progress=start + (end - start) * best)

    return tick


class Latest:
    """The share that another thread last told: only the work's own thread may report.

    Reporting writes to the database, and the threads that feed programs have no connection.
    """

    def __init__(self, tick: Tick) -> None:
        self._tick: Final = tick
        self._done = 0.0

    def note(self, done: float) -> None:
        """Be the tick of the other thread: remember, and nothing else."""
        self._done = done

    def tell(self, _: float) -> None:
        """Be the tick of the work's own thread."""
        self._tick(self._done)
