"""Decides who may run on a data directory: one installation, told apart by a lock on a file."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO, Final

from project.core import pids

#: The children of a supervisor that was killed hold its lock until they have stopped.
LEFTOVERS_AT_MOST_S: Final = 15.0
_TRY_EVERY_S: Final = 0.1


class TakenError(Exception):
    """Another installation runs on the data directory."""


def acquire(data_dir: Path, *, about: str) -> IO[str]:
    """Lock ``data_dir`` for this process and its forks; the lock lasts while the file is open.

    Args:
        data_dir: what is locked.
        about: told to whoever comes second, e.g. the address to open.

    Raises:
        TakenError: another installation runs there.
    """
    file = (data_dir / "lock").open("a+", encoding="utf-8")
    until = time.monotonic() + LEFTOVERS_AT_MOST_S
    while not _locked(file):
        holder = _holder(file)
        if holder.is_alive or time.monotonic() >= until:
            file.close()
            raise TakenError(f"{data_dir} is in use by process {holder.pid} ({holder.about})")
        time.sleep(_TRY_EVERY_S)
    pid = os.getpid()
    file.seek(0)
    file.truncate()
    file.write(f"{pid}\n{pids.incarnation(pid)}\n{about}\n")
    file.flush()
    return file


class _Holder:
    """Who wrote the lock's file."""

    def __init__(self, lines: list[str]) -> None:
        self.pid, incarnation, self.about = [*lines, "", "", ""][:3]
        self.is_alive = bool(self.pid) and pids.incarnation(int(self.pid)) == incarnation


def _holder(file: IO[str]) -> _Holder:
    file.seek(0)
    return _Holder(file.read().splitlines())


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
