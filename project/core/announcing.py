"""What apps announce to whoever wants to know: named events, heard after the commit.

An app registers the names that it announces; listeners (webhooks) hear all of them. Whoever
announces knows no listener, and no listener can spoil what was done.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db import transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that happened.

    Attributes:
        name: a registered one, e.g. ``markets.alert_raised``.
        data: plain JSON.
        at: when it was announced, UTC.
    """

    name: str
    data: Mapping[str, Any]
    at: datetime


Listener = Callable[[Announcement], None]
_names: Final[dict[str, str]] = {}
_listeners: Final[list[Listener]] = []


class UnknownAnnouncementError(KeyError):
    """Nobody registered this name."""


def register(name: str, meaning: str) -> str:
    """Let ``name`` be announced; ``meaning`` says in a sentence what has happened then."""
    _names[name] = meaning
    return name


def known() -> dict[str, str]:
    """Return all names with what they mean, sorted."""
    return dict(sorted(_names.items()))


def listen(listener: Listener) -> Listener:
    """Let ``listener`` hear every announcement, after the commit of what it tells of."""
    if listener not in _listeners:
        _listeners.append(listener)
    return listener


def stop_listening(listener: Listener) -> None:
    """Let ``listener`` hear no more."""
    if listener in _listeners:
        _listeners.remove(listener)


def announce(name: str, data: Mapping[str, Any], *, now: datetime) -> None:
    """Tell all listeners once the transaction at work is committed, and never if it is not.

    Raises:
        UnknownAnnouncementError: the name is not registered.
    """
    if name not in _names:
        raise UnknownAnnouncementError(name)
    transaction.on_commit(partial(_tell, Announcement(name, dict(data), now)))


def _tell(announcement: Announcement) -> None:
    for listener in _listeners:
        try:
            listener(announcement)
        except Exception:  # what was announced has happened, whether this one hears it or not
            logger.exception("A listener failed", extra={"announcement": announcement.name})
