"""Maintenance: while staff have closed the product to clients, these are told when to come back.

Closed is what programs and users ask for work and data by; the console, signing in, health and
metrics stay open, and staff are let in everywhere. The work itself has switches of its own.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import DatabaseError

from project.core import switches
from project.core.callers import Caller
from project.core.errors import TransientError
from project.core.models import Halt
from project.core.switches import Switch

logger = logging.getLogger(__name__)
#: How long a process goes on with what it read, s: what staff switch holds everywhere after that.
READ_EVERY_S: Final = 2.0
#: When clients are told to come back, s.
COME_BACK_S: Final = 60.0
CLIENTS: Final = switches.register(
    Switch(
        name="clients",
        label="Serving clients",
        text="Whoever is no staff is answered 503 and told to come back; what they asked for before is worked on.",
        badge="Maintenance",
    )
)
_CLOSED: Final = ("/api/", "/videos", "/register", "/ws/")
_OPEN: Final = ("/api/health", "/api/system/", "/api/auth/", "/api/schema", "/api/docs")


class MaintenanceError(TransientError):
    """Staff have closed the product to clients."""

    code = "maintenance"
    title = "Closed for maintenance"


@dataclass(slots=True)
class _Known:
    """What a process read last."""

    halt: Halt | None = None
    read_at: datetime | None = None


_known = _Known()
_lock = threading.Lock()


def concerns(path: str) -> bool:
    """Say whether an address is closed in a maintenance."""
    return path.startswith(_CLOSED) and not path.startswith(_OPEN)


def is_surely_open(*, now: datetime) -> bool:
    """Say without asking the database whether clients are served; False where that isn't known."""
    return _known.halt is None and _is_fresh(now)


def require_open(path: str, caller: Callable[[], Caller], *, now: datetime) -> None:
    """Let a request go on.

    Args:
        path: its address.
        caller: tells who asks, where that matters.
        now: the moment, UTC.

    Raises:
        MaintenanceError: the address is closed to the caller.
    """
    if not concerns(path) or (halt := _halt(now)) is None or caller().is_staff:
        return
    text = f"Closed for maintenance since {halt.since:%Y-%m-%d %H:%M} UTC: come back later"
    raise MaintenanceError(text, retry_after_s=COME_BACK_S)


def forget() -> None:
    """Read the switch anew at the next request: for tests, where databases change under it."""
    _known.halt, _known.read_at = None, None


def _is_fresh(now: datetime) -> bool:
    read_at = _known.read_at
    return read_at is not None and 0 <= (now - read_at).total_seconds() < READ_EVERY_S


def _halt(now: datetime) -> Halt | None:
    """Return since when clients are not served; None while they are."""
    if _is_fresh(now):
        return _known.halt
    with _lock:
        if not _is_fresh(now):
            try:
                _known.halt = Halt.objects.filter(switch=CLIENTS.name).first()
            except DatabaseError as error:  # whoever needs the database says so
                logger.warning("maintenance not read", extra={"why": repr(error)[:200]})
            _known.read_at = now
    return _known.halt
