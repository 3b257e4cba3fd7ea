"""Decides how a process watches its own pools: a snapshot each second, a diagnosis, a remedy."""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from django.db import DatabaseError

from project.db import diagnosing, healing, statistics
from project.db.findings import Finding
from project.db.statistics import PoolStatistics

KEPT: Final = 120
#: Findings look back so far: what is over for longer is over.
DIAGNOSED: Final = 60
_HEAL_AGAIN_AFTER_S: Final = 30.0

logger = logging.getLogger(__name__)

OnTick = Callable[["Watch", PoolStatistics], None]


@dataclass
class Watch:
    """The recent past of one pool in this process."""

    alias: str
    heals: bool = True
    series: deque[PoolStatistics] = field(default_factory=lambda: deque(maxlen=KEPT))
    #: What is wrong now, causes first.
    findings: tuple[Finding, ...] = ()
    #: What was done last about a finding, by its name.
    healed: dict[str, str] = field(default_factory=dict)
    _healed_at_s: dict[str, float] = field(default_factory=dict)

    def tick(self) -> PoolStatistics:
        """Take one snapshot, diagnose the last minute, and heal what can be healed."""
        found = statistics.snapshot(self.alias)
        self.series.append(found)
        self.findings = tuple(diagnosing.diagnose(list(self.series)[-DIAGNOSED:]))
        if self.heals:
            for finding in self.findings:
                self._heal(finding)
        return found

    def _heal(self, finding: Finding) -> None:
        now_s = time.monotonic()
        last_s = self._healed_at_s.get(finding.name)
        if finding.healing is None or (last_s and now_s - last_s < _HEAL_AGAIN_AFTER_S):
            return
        self._healed_at_s[finding.name] = now_s
        try:
            done = healing.heal(finding, alias=self.alias)
        except DatabaseError as error:
            done = f"could not: {error}"
        if done:
            self.healed[finding.name] = done
            logger.warning(
                "Healed a database pool",
                extra={"alias": self.alias, "finding": finding.name, "done": done},
            )


_watches: dict[tuple[int, str], Watch] = {}
_mutex = threading.Lock()


def of(alias: str) -> Watch:
    """Return this process's watch of ``alias``; a forked child starts with an empty one."""
    key = (os.getpid(), alias)
    with _mutex:
        return _watches.setdefault(key, Watch(alias))


def start(
    aliases: Iterable[str], *, interval_s: float = 1.0, on_tick: OnTick | None = None
) -> Callable[[], None]:
    """Watch ``aliases`` in a thread of this process; call the result to stop it.

    Start it after forking. ``on_tick`` gets the watch and the new snapshot of each alias; it
    runs in the watching thread and should be quick.
    """
    is_over = threading.Event()
    watches = [of(alias) for alias in aliases]
    thread = threading.Thread(
        target=_run, args=(watches, interval_s, on_tick, is_over), name="db-watch", daemon=True
    )
    thread.start()

    def stop() -> None:
        is_over.set()
        thread.join(timeout=5)

    return stop


def _run(
    watches: list[Watch], interval_s: float, on_tick: OnTick | None, is_over: threading.Event
) -> None:
    while not is_over.wait(interval_s):
        for watch in watches:
            try:
                found = watch.tick()
                if on_tick is not None:
                    on_tick(watch, found)
            except Exception:  # the watch must outlive whatever its listener does
                logger.exception("Watching a database pool failed", extra={"alias": watch.alias})


def _renew_lock_after_fork() -> None:
    global _mutex  # noqa: PLW0603 -- the parent's lock may be held by a thread that is not here
    _mutex = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock_after_fork)
