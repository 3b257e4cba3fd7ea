"""Decides when children start, start again, and stop.

Times are of the monotonic clock, in seconds. A stop asks the roles first and their companions
after them, and kills what is left in time for the whole to take less than ten seconds.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from project.core import pids
from project.runtime.children import Child, Lifeline, Role

TICK_S: Final = 0.1
WEIGH_EVERY_S: Final = 5.0
STOP_WITHIN_S: Final = 8.0
COMPANIONS_STOP_WITHIN_S: Final = 1.5

Say = Callable[[str], None]


class Stop(Protocol):
    """Something that can be waited for: ``threading.Event``."""

    def is_set(self) -> bool:
        """Say whether it has come."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for it; say whether it has come."""


class Supervisor:
    """Keeps children running until told to stop."""

    def __init__(
        self,
        roles: Iterable[Role],
        *,
        say: Say,
        memory_limit_mb: float,
        on_death: Callable[[int], None] = lambda _pid: None,
    ) -> None:
        self._lifeline = Lifeline()
        self.children = [Child(role, self._lifeline) for role in roles]
        self._say = say
        self._memory_limit_mb = memory_limit_mb
        self._on_death = on_death
        self._weigh_at = 0.0

    def run(self, stop: Stop, *, on_ready: Callable[[], None]) -> None:
        """Run the children until ``stop``; ``on_ready`` is called once, when all are ready.

        Those that run once start when the others are ready.
        """
        is_announced = False
        try:
            while not stop.is_set():
                self._tend(has_begun=is_announced)
                if not is_announced and self._is_ready():
                    is_announced = True
                    on_ready()
                stop.wait(TICK_S)
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop all children, the companions last."""
        started_at = time.monotonic()
        companions = [child for child in self.children if child.role.is_companion]
        others = [child for child in self.children if not child.role.is_companion]
        self._stop(others, kill_at=started_at + STOP_WITHIN_S)
        self._stop(companions, kill_at=time.monotonic() + COMPANIONS_STOP_WITHIN_S)
        self._lifeline.cut()
        self._say(f"Stopped in {time.monotonic() - started_at:.1f} s.")

    def _is_ready(self) -> bool:
        return all(child.is_ready for child in self.children if not child.role.is_once)

    def _tend(self, *, has_begun: bool) -> None:
        """Look at each child once and do what is due."""
        now = time.monotonic()
        for child in self.children:
            self._bury(child, now)
            if child.became_ready() and child.starts > 1:
                self._say(f"  {child.role.name} runs again")
            may_start = has_begun or not child.role.is_once
            if child.pid is None and not child.is_done and may_start and now >= child.start_at:
                child.start(now=now)
            if child.kill_at is not None and now >= child.kill_at:
                child.kill()
        if now >= self._weigh_at:
            self._weigh_at = now + WEIGH_EVERY_S
            self._weigh(now)

    def _bury(self, child: Child, now: float) -> None:
        """Note the end of a child."""
        pid, was_asked = child.pid, child.kill_at is not None
        status = child.reap(now=now)
        if pid is None or status is None:
            return
        self._on_death(pid)
        if not child.is_done and not was_asked:
            self._say(f"  {child.role.name} {_ended(status)}; starting it again")

    def _weigh(self, now: float) -> None:
        """Start anew each child that has outgrown its memory limit."""
        for child in self.children:
            if child.pid is None or child.kill_at is not None:
                continue
            used_mb = pids.memory_mb(child.pid)
            if used_mb > self._memory_limit_mb:
                self._say(
                    f"  {child.role.name} holds {used_mb:.0f} MB, more than CHILD_MEMORY_MB="
                    f"{self._memory_limit_mb:.0f}; starting it again"
                )
                child.ask_to_stop(kill_at=now + STOP_WITHIN_S)

    def _stop(self, children: Sequence[Child], *, kill_at: float) -> None:
        """Stop ``children`` side by side."""
        for child in children:
            child.ask_to_stop(kill_at=kill_at)
        while left := [child for child in children if child.pid is not None]:
            now = time.monotonic()
            if now >= kill_at:
                self._kill(left)
                kill_at = now + 1.0
            for child in left:
                child.reap(now=now)
            time.sleep(TICK_S / 5)

    def _kill(self, children: Sequence[Child]) -> None:
        for child in children:
            self._say(f"  {child.role.name} did not stop in time: killed")
            child.kill()


def _ended(status: int) -> str:
    """Say in words how a child ended."""
    return f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
