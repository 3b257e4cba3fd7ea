"""Decides what is remembered of each check-out, write and error, cheaply enough for hot paths.

Appending to a bounded deque is atomic under the interpreter's lock, so recording takes none.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

#: Uses that percentiles are made of: some four seconds at 1,100 operations a second.
KEPT_USES: Final = 4096
KEPT_ERRORS: Final = 1024


class ErrorKind(StrEnum):
    """Kinds of trouble between the product and its database."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    DEADLOCK = "deadlock"
    BUSY = "busy"
    FULL = "full"
    IO = "io"
    CORRUPT = "corrupt"
    #: The statement itself is wrong, e.g. a table that isn't there.
    STATEMENT = "statement"


class Event(StrEnum):
    """What happened to connections, counted since the process started."""

    USED = "used"
    OPENED = "opened"
    CLOSED = "closed"
    GROWN = "grown"
    RETIRED = "retired"
    BROKEN = "broken"
    ABANDONED = "abandoned"
    REPLACED = "replaced"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The middle and the slow end of some durations, in seconds; zeros where there were none."""

    p50_s: float = 0.0
    p95_s: float = 0.0
    p99_s: float = 0.0
    count: int = 0


def quantiles(durations_s: Iterable[float]) -> Quantiles:
    """Return the nearest-rank percentiles of ``durations_s``."""
    ordered = sorted(durations_s)
    if not ordered:
        return Quantiles()
    last = len(ordered) - 1
    p50_s, p95_s, p99_s = (
        ordered[min(last, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)
    )
    return Quantiles(p50_s, p95_s, p99_s, len(ordered))


class Recorder:
    """The memory of one pool."""

    __slots__ = ("_errors", "_is_on", "_mutex", "_uses", "_writes", "errors", "events")

    def __init__(self, *, is_on: bool = True) -> None:
        """Remember nothing but counts when not ``is_on``."""
        self._is_on = is_on
        self._mutex = threading.Lock()
        self._uses: deque[tuple[float, float, float]] = deque(maxlen=KEPT_USES)
        self._writes: deque[tuple[float, float, float]] = deque(maxlen=KEPT_USES)
        self._errors: deque[tuple[float, ErrorKind, str]] = deque(maxlen=KEPT_ERRORS)
        self.errors: Counter[ErrorKind] = Counter()
        self.events: Counter[Event] = Counter()

    @property
    def is_on(self) -> bool:
        """Whether durations and places are remembered."""
        return self._is_on

    def use_ended(self, now_s: float, *, waited_s: float, used_s: float) -> None:
        """Remember one check-out; ``now_s`` is monotonic. The caller holds the pool's lock."""
        self.events[Event.USED] += 1
        if self._is_on:
            self._uses.append((now_s, waited_s, used_s))

    def write_ended(self, now_s: float, *, waited_s: float, held_s: float) -> None:
        """Remember one turn at the writer gate. The caller holds the gate."""
        self.events[Event.WRITTEN] += 1
        if self._is_on:
            self._writes.append((now_s, waited_s, held_s))

    def failed(self, kind: ErrorKind, text: str = "") -> None:
        """Count one error; its text is kept for the explanation of a finding."""
        with self._mutex:
            self.errors[kind] += 1
        self._errors.append((time.monotonic(), kind, text[:200]))

    def uses(self, *, since_s: float) -> tuple[Quantiles, Quantiles]:
        """Return how long check-outs that ended after ``since_s`` waited and lasted."""
        return _pair(self._uses, since_s)

    def writes(self, *, since_s: float) -> tuple[Quantiles, Quantiles]:
        """Return how long writes that ended after ``since_s`` waited and held the gate."""
        return _pair(self._writes, since_s)

    def last_error(self) -> str:
        """Return the text of the last error, or nothing."""
        try:
            return self._errors[-1][2]
        except IndexError:
            return ""


def _pair(
    remembered: deque[tuple[float, float, float]], since_s: float
) -> tuple[Quantiles, Quantiles]:
    """Return the percentiles of both durations of the entries after ``since_s``."""
    # Other threads append meanwhile; a copy is one step of the interpreter, iterating is not.
    entries = remembered.copy()
    late = 0
    for ended_s, _, _ in reversed(entries):
        if ended_s < since_s:
            break
        late += 1
    chosen = list(islice(entries, len(entries) - late, None))
    return quantiles(entry[1] for entry in chosen), quantiles(entry[2] for entry in chosen)
