"""Decides how a server of the tests is started, waited for and ended."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

READY_WITHIN_S = 30.0
END_WITHIN_S = 10.0
GUARD = Path(__file__).with_name("guard.py")


@dataclass(frozen=True)
class Command:
    """How a server is started.

    Attributes:
        words: the program and its arguments.
        folder: removed with everything in it when the server has ended.
        stop_signal: name of the signal that ends it well, e.g. ``"SIGTERM"``.
        user: who runs it, ``"uid:gid"``; empty for whoever runs the tests.
    """

    words: Sequence[str]
    folder: Path
    stop_signal: str = "SIGTERM"
    user: str = ""


def free_port() -> int:
    """Return a port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Return whether something listens at the port of the loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def running(command: Command, *, is_ready: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server under its guard while the block runs.

    Raises:
        RuntimeError: it ended at once or was not ready in time; the text has its last words.
    """
    how = [command.stop_signal, command.user, str(command.folder)]
    with tempfile.TemporaryFile() as log:
        guard = subprocess.Popen(
            [sys.executable, str(GUARD), *how, *command.words],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C goes to the runner alone, which ends this in its turn
        )
        try:
            _wait(guard, log, is_ready)
            yield guard
        finally:
            if guard.stdin is not None:
                guard.stdin.close()
            guard.wait(END_WITHIN_S)


def _wait(guard: subprocess.Popen[bytes], log: IO[bytes], is_ready: Callable[[], bool]) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while not is_ready():
        if guard.poll() is not None or time.monotonic() > until:
            log.seek(0)
            said = log.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"the server did not start: {said}")
        time.sleep(0.02)
