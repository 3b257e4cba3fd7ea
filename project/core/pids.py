"""Says which process is which, whether it still lives, and how much memory it holds."""

import os
from functools import cache
from pathlib import Path

_STATE_FIELD = 0
_START_FIELD = 19
_MEMORY_FIELD = 1
_BYTES_PER_MB = 1024 * 1024


@cache
def _boot() -> str:
    """Return what tells this boot of the machine from others; empty where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` that follow the program's name, or nothing."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _exists(pid: int) -> bool:
    """Say whether a process of this number exists, where there is no ``/proc``."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def incarnation(pid: int) -> str:
    """Return what tells the process ``pid`` from others that had or will have its number.

    An empty string means that it is gone; a zombie, which does nothing more, counts as gone.
    Where there is no ``/proc`` a process that was given a used number passes for the former one.
    """
    if not _boot():
        return "alive" if _exists(pid) else ""
    fields = _stat(pid)
    if not fields or fields[_STATE_FIELD] in {"Z", "X"}:
        return ""
    return f"{_boot()}/{fields[_START_FIELD]}"


def memory_mb(pid: int) -> float:
    """Return the resident memory of ``pid`` in MB; 0 where that cannot be known."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[_MEMORY_FIELD]
    except OSError:
        return 0.0
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / _BYTES_PER_MB
