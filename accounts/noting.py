"""When keys and browsers were last used: written behind, of each at most once a minute.

A request only leaves a note; a thread of the web process writes the notes every two seconds. A
process that is killed loses those of its last seconds, and nothing else.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, IntegrityError, connections, transaction
from django.db.models import Q

from accounts import recalling
from accounts.models import ApiKey, Device, Session
from project.core.choices import Role

logger = logging.getLogger(__name__)
WRITTEN_EVERY: Final = timedelta(minutes=1)
FLUSHED_EVERY_S: Final = 2.0
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Sight:
    """From where somebody asks: the client's address and what it calls itself."""

    address: str = ""
    agent: str = ""


NOWHERE: Final = Sight()


@dataclass(frozen=True, slots=True)
class _Note:
    at: datetime
    sight: Sight
    user_id: int


_lock: Final = threading.Lock()
_noted: Final[dict[str, datetime]] = {}
_waiting: Final[dict[str, _Note]] = {}


def _note(name: str, sight: Sight, *, user_id: int, now: datetime) -> None:
    last = _noted.get(name)
    if last is not None and timedelta() <= now - last < WRITTEN_EVERY:
        return
    with _lock:
        if len(_noted) >= _REMEMBERED:
            _noted.clear()
        _noted[name] = now
        _waiting[name] = _Note(now, sight, user_id)


def key_used(key_id: int, sight: Sight, *, user_id: int, now: datetime) -> None:
    """Note that a key was used; costs no query."""
    _note(f"key:{key_id}", sight, user_id=user_id, now=now)


def session_used(session_key: str, sight: Sight, *, user_id: int, now: datetime) -> None:
    """Note that a browser was used; costs no query."""
    _note(f"session:{session_key}", sight, user_id=user_id, now=now)


def forget_session(session_key: str) -> None:
    """Drop what is noted of a session that ended."""
    with _lock:
        _noted.pop(f"session:{session_key}", None)
        _waiting.pop(f"session:{session_key}", None)


def flush() -> int:
    """Write what is noted; return how much that was. What can't be written is noted again."""
    with _lock:
        notes = dict(_waiting)
        _waiting.clear()
    try:
        for name, note in notes.items():
            _write(name, note)
    except DatabaseError:
        with _lock:
            for name, note in notes.items():
                _waiting.setdefault(name, note)
        raise
    return len(notes)


def _write(name: str, note: _Note) -> None:
    last = recalling.seen(name)  # by another process, too
    if last is not None and timedelta() <= note.at - last < WRITTEN_EVERY:
        return
    kind, _, own = name.partition(":")
    if kind == "key":
        _write_key(int(own), note)
    else:
        write_device(own, note.sight, user_id=note.user_id, now=note.at)
    recalling.keep_seen(name, note.at)


def _write_key(pk: int, note: _Note) -> None:
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=note.at)
    ApiKey.objects.filter(stale, pk=pk).update(
        last_used_at=note.at,
        last_address=note.sight.address or None,
        last_agent=note.sight.agent[:300],
    )


def write_device(session_key: str, sight: Sight, *, user_id: int, now: datetime) -> None:
    """Write that a browser was used; nothing for a session that ended."""
    if _written(session_key, sight, now=now):
        return
    if Session.objects.filter(session_key=session_key, user_id=user_id).exists():
        new_device(session_key, sight, user_id=user_id, now=now)


def _written(session_key: str, sight: Sight, *, now: datetime) -> bool:
    rows = Device.objects.filter(session_key=session_key)
    facts = _facts(sight, now)
    return bool(rows.filter(last_seen_at__lte=now).update(**facts)) or rows.exists()


def _facts(sight: Sight, now: datetime) -> dict[str, Any]:
    return {
        "agent": sight.agent[:300],
        "address": sight.address or None,
        "last_seen_at": now,
    }


def new_device(session_key: str, sight: Sight, *, user_id: int, now: datetime) -> None:
    """Write that somebody signed in with a browser."""
    _noted[f"session:{session_key}"] = now
    try:
        with transaction.atomic():
            Device.objects.create(
                user_id=user_id, session_key=session_key, first_seen_at=now, **_facts(sight, now)
            )
    except IntegrityError:  # a rival's, or the user is gone
        return


def _flush_for_ever() -> None:
    pause = threading.Event()
    while not pause.wait(FLUSHED_EVERY_S):
        if not _waiting:
            continue
        try:
            flush()
        except DatabaseError as error:
            logger.warning("last uses not written", extra={"why": repr(error)[:200]})
        except Exception:  # the thread must live as long as its process
            logger.exception("last uses not written")
        finally:
            connections.close_all()


def begin(role: str) -> None:
    """Begin to write behind, in a web process."""
    if role == Role.WEB:
        threading.Thread(target=_flush_for_ever, name="last-use", daemon=True).start()


def now_seen() -> None:
    """Write what this process has noted: for whoever is about to read it."""
    if _waiting:
        flush()
