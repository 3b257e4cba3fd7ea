"""A supervisor of small roles, run by the tests as a process: ``… FOLDER ROLE…``."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from project.runtime import children, supervising
from project.runtime.children import Ready, Role
from project.runtime.supervising import Supervisor

FOLDER = Path(sys.argv[1])


def note(text: str) -> None:
    """Add one line to the journal."""
    handle = os.open(FOLDER / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{text}\n".encode())
    os.close(handle)


def begin() -> None:
    name, restarts = os.environ["MILLRACE_ROLE"], os.environ["MILLRACE_RESTARTS"]
    note(f"{name} {restarts} {os.getpid()}")


def steady(ready: Ready) -> int:
    begin()
    ready()
    signal.pause()
    return 0


def other(ready: Ready) -> int:
    return steady(ready)


def stubborn(ready: Ready) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    begin()
    ready()
    while True:
        time.sleep(1)


def eater(ready: Ready) -> int:
    begin()
    ready()
    if os.environ["MILLRACE_RESTARTS"] == "0":
        eaten = b"x" * (300 * 1024 * 1024)
        time.sleep(60)
        return len(eaten)
    signal.pause()
    return 0


def failing(ready: Ready) -> int:
    begin()
    raise RuntimeError("broken on purpose")


def once(ready: Ready) -> int:
    begin()
    return 0


def hurry() -> None:
    """Be less patient than the product."""
    children.ORPHAN_STOPS_WITHIN_S = supervising.STOP_WITHIN_S = 1.5  # type: ignore[misc]
    supervising.WEIGH_EVERY_S = 0.3  # type: ignore[misc]


def main() -> None:
    hurry()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    runs = {"steady": steady, "other": other, "stubborn": stubborn, "eater": eater}
    runs |= {"failing": failing, "once": once}
    roles = [Role(name, runs[name], is_once=name == "once") for name in sys.argv[2:]]
    supervisor = Supervisor(roles, say=note, memory_limit_mb=200)
    supervisor.run(stop, on_ready=lambda: note("all ready"))


if __name__ == "__main__":
    main()
