"""What the product tells whoever asked to be told: apps announce, without knowing who listens."""

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from django.db import DatabaseError, transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that happened.

    Attributes:
        name: a registered one, e.g. ``"gap.repaired"``.
        data: plain JSON without secrets.
        user_id: only this user may hear of it; None: whoever asked.
        at: when it happened.
    """

    name: str
    data: Mapping[str, Any]
    at: datetime
    user_id: int | None = None
    id: uuid.UUID = field(default_factory=uuid.uuid4)


Listener = Callable[[Announcement], None]
_events: Final[dict[str, str]] = {}
_listeners: Final[list[Listener]] = []


def register(event: str, label: str) -> str:
    """Make an event known: its name ``thing.happened``, and what it is for people."""
    if _events.setdefault(event, label) != label:
        raise ValueError(f"event {event} is registered twice, differently")
    return event


def known() -> Mapping[str, str]:
    """Return all events by name, with their labels."""
    return MappingProxyType(_events)


def listen(listener: Listener) -> None:
    """Let ``listener`` hear of everything, in the transaction in which it happens."""
    if listener not in _listeners:
        _listeners.append(listener)


def stop_listening(listener: Listener) -> None:
    """Let ``listener`` hear no more."""
    if listener in _listeners:
        _listeners.remove(listener)


def announce(
    name: str, data: Mapping[str, Any], *, now: datetime, user_id: int | None = None
) -> None:
    """Say that something happened; call it in the transaction that made it so.

    A listener that fails is logged and stops nothing.

    Args:
        name: a registered one.
        data: plain JSON without secrets.
        now: the moment, UTC.
        user_id: only this user may hear of it; None: whoever asked.

    Raises:
        KeyError: no app registered the event.
    """
    _events[name]
    said = Announcement(name=name, data=data, at=now, user_id=user_id)
    for listener in _listeners:
        try:
            with transaction.atomic():
                listener(said)
        except DatabaseError:
            raise
        except Exception:  # nobody's work fails since somebody wanted to hear of it
            logger.exception("an announcement was not heard", extra={"event_name": name})


RUN_FINISHED: Final = register("run.finished", "A run that you asked for ended")
