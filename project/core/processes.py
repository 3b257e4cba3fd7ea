"""Which processes of the installation are alive, and whether the holder of a claim still is."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.db import DatabaseError, connections
from django.utils import timezone

from project.core import pids, version
from project.core.models import ProcessHeartbeat

logger = logging.getLogger(__name__)
BEAT_EVERY_S: Final = 5.0
END_WITHIN_S: Final = 5.0
#: A process that missed two beats is called silent.
SILENT_AFTER: Final = timedelta(seconds=15)
FORGET_AFTER: Final = timedelta(hours=1)

_hearts: dict[int, "Heart"] = {}
_with_heart: list[Callable[[str], None]] = []


def with_heart(start: Callable[[str], None]) -> None:
    """Let ``start`` be called with the role when the heart of a process begins."""
    if start not in _with_heart:
        _with_heart.append(start)


def _space() -> str:
    """Return host and process-number space: containers may share a host name."""
    try:
        space = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        space = "0"
    return f"{socket.gethostname()[:60]}/{space}"


def own_name() -> str:
    """Return the name of this process: ``host/space:pid:birth`` (see ``pids.incarnation``)."""
    return f"{_space()}:{os.getpid()}:{pids.incarnation(os.getpid())}"


def is_surely_dead(name: str) -> bool:
    """Say whether the process ``name`` ran on this machine and is gone.

    A process of another machine may live: only its claim's end tells.
    """
    space, _, rest = name.partition(":")
    pid, _, birth = rest.partition(":")
    return space == _space() and pid.isdigit() and pids.incarnation(int(pid)) != birth


class Heart(threading.Thread):
    """Writes a sign of life every ``BEAT_EVERY_S`` seconds until the process ends."""

    def __init__(self, role: str) -> None:
        super().__init__(name=f"heart-{role}", daemon=True)
        self.role = role
        self.stopped = threading.Event()
        self.started_at = timezone.now()

    def run(self) -> None:
        """Beat until stopped; a database that is away is tried again."""
        while True:
            try:
                beat(self.role, started_at=self.started_at, now=timezone.now())
            except DatabaseError as error:
                logger.warning("no heartbeat written", extra={"why": repr(error)})
            except Exception:  # a process without a heart would be taken for dead
                logger.exception("no heartbeat written")
            finally:
                connections.close_all()
            if self.stopped.wait(BEAT_EVERY_S):
                return


def beat(role: str, *, started_at: datetime, now: datetime) -> None:
    """Write this process's sign of life, and forget processes long gone."""
    facts = {
        "role": role,
        "host": socket.gethostname()[:80],
        "pid": os.getpid(),
        "version": version.label(),
        "started_at": started_at,
        "beat_at": now,
        "restarts": int(os.environ.get("MILLRACE_RESTARTS", "0")),
    }
    ProcessHeartbeat.objects.update_or_create(name=own_name(), defaults=facts)
    ProcessHeartbeat.objects.filter(beat_at__lt=now - FORGET_AFTER).delete()


def begin(role: str) -> None:
    """Start this process's heart, once; a fork needs one of its own."""
    if os.getpid() not in _hearts:
        heart = _hearts[os.getpid()] = Heart(role)
        heart.start()
        for start in _with_heart:
            start(role)


def end() -> None:
    """Stop the heart and say that this process is gone."""
    heart = _hearts.pop(os.getpid(), None)
    if heart is not None:
        heart.stopped.set()
        heart.join(END_WITHIN_S)  # a beat on its way would bring the row back
        ProcessHeartbeat.objects.filter(name=own_name()).delete()
