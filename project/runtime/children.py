"""Decides how one child of the supervisor is born, watched and ended.

A child is a fork of a process that has imported everything. It lives in a session of its own, so
that Ctrl-C reaches the supervisor alone, and its standard input is a pipe from the supervisor:
when that ends, even by kill -9, the child stops.
"""

import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: A child whose supervisor is gone has so long to stop by itself.
ORPHAN_STOPS_WITHIN_S: Final = 8.0
BACKOFF_BASE_S: Final = 0.2
BACKOFF_MAX_S: Final = 30.0
#: A child that lived so long had a good start: the back-off begins anew.
GOOD_LIFE_S: Final = 30.0

Ready = Callable[[], None]


@dataclass(frozen=True)
class Role:
    """What a child does.

    Attributes:
        name: shown to people, and in the child's environment as ``MILLRACE_ROLE``.
        run: the work; calls its argument once when it is ready, returns its exit status.
        is_once: not started again when it ends well.
        is_companion: stops after those that aren't.
    """

    name: str
    run: Callable[[Ready], int]
    is_once: bool = False
    is_companion: bool = False


class Lifeline:
    """The pipe whose end means stop: the supervisor alone holds its writing end."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def become_stdin(self) -> None:
        """Make it the standard input; called in the child."""
        os.dup2(self._read, 0)
        os.close(self._read)
        os.close(self._write)

    def cut(self) -> None:
        """Let go of both ends; called in the supervisor."""
        os.close(self._read)
        os.close(self._write)


class Child:
    """One child: not started, starting, ready, stopping or ended."""

    def __init__(self, role: Role, lifeline: Lifeline) -> None:
        self.role = role
        self.pid: int | None = None
        self.is_ready = False
        self.is_done = False
        self.starts = 0
        self.born_at = 0.0
        self.start_at = 0.0
        self.kill_at: float | None = None
        self._lifeline = lifeline
        self._quick_deaths = 0
        self._ready_pipe = -1

    def start(self, *, now: float) -> None:
        """Fork the child; ``now`` is of the monotonic clock, in seconds."""
        read, write = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            _live(self.role, restarts=self.starts, lifeline=self._lifeline, ready_pipe=write)
        os.close(write)
        os.set_blocking(read, False)
        self.pid, self._ready_pipe = pid, read
        self.is_ready, self.kill_at = False, None
        self.born_at, self.starts = now, self.starts + 1

    def became_ready(self) -> bool:
        """Say, once per life, that the child is ready."""
        if self.pid is None or self.is_ready:
            return False
        try:
            self.is_ready = os.read(self._ready_pipe, 1) == b"!"
        except BlockingIOError:
            return False
        return self.is_ready

    def reap(self, *, now: float) -> int | None:
        """Return the exit status of the child if it has ended since, negative for a signal."""
        if self.pid is None:
            return None
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return None
        exit_status = os.waitstatus_to_exitcode(status)
        os.close(self._ready_pipe)
        self.pid = None
        self.is_done = self.role.is_once and exit_status == 0
        is_good_life = now - self.born_at >= GOOD_LIFE_S
        self._quick_deaths = 0 if is_good_life else self._quick_deaths + 1
        wait_s = BACKOFF_BASE_S * 2 ** max(0, self._quick_deaths - 1)
        self.start_at = now + min(wait_s, BACKOFF_MAX_S)
        return exit_status

    def ask_to_stop(self, *, kill_at: float) -> None:
        """Ask the child to stop, and note when it is killed if it has not."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)
            self.kill_at = kill_at

    def kill(self) -> None:
        """Kill the child and what it started."""
        if self.pid is None:
            return
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # killed before it had its own session
            os.kill(self.pid, signal.SIGKILL)


def _live(role: Role, *, restarts: int, lifeline: Lifeline, ready_pipe: int) -> None:
    """Do the work of ``role`` in a fork; never returns."""
    status = 1
    try:
        os.setsid()
        lifeline.become_stdin()
        _reset_signals()
        _name_process(role.name)
        os.environ |= {"MILLRACE_ROLE": role.name, "MILLRACE_RESTARTS": str(restarts)}
        threading.Thread(target=_stop_with_supervisor, name="lifeline", daemon=True).start()
        status = role.run(lambda: _tell(ready_pipe))
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 -- nothing may go up into the supervisor's own code
        traceback.print_exc()
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _tell(ready_pipe: int) -> None:
    """Tell the supervisor that the work can begin."""
    os.write(ready_pipe, b"!")


def _reset_signals() -> None:
    """Undo what the supervisor does with signals."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _name_process(name: str) -> None:
    """Show the role in lists of processes, where the system lets us."""
    comm = Path("/proc/self/comm")
    if comm.exists():
        comm.write_text(f"millrace-{name}"[:15], encoding="ascii")


def _stop_with_supervisor() -> None:
    """Wait for the end of the standard input, then stop this process, gently at first."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_STOPS_WITHIN_S)
    os.killpg(0, signal.SIGKILL)
