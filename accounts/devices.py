"""In which browsers a user is signed in, and signing them out from afar."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Final

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction

from accounts.models import Device, User
from project.core.errors import NotFoundError

#: Last sight is written at most so often: it must not cost each request a write.
SEEN_WRITTEN_EVERY: Final = timedelta(minutes=1)
_REMEMBERED: Final = 10_000
_written: Final[dict[str, datetime]] = {}


class UnknownDeviceError(NotFoundError):
    """There is no such device, or it is a stranger's."""

    title = "No such device"


def seen(user: User, session_key: str, *, agent: str, address: str, now: datetime) -> None:
    """Note that ``user`` uses a session; costs a write a minute at most.

    Args:
        user: whose session it is.
        session_key: the session.
        agent: what the browser calls itself.
        address: of the client; empty where it isn't known.
        now: the moment, UTC.
    """
    last = _written.get(session_key)
    if last is not None and now - last < SEEN_WRITTEN_EVERY:
        return
    if len(_written) >= _REMEMBERED:
        _written.clear()
    _written[session_key] = now
    facts = {"agent": agent[:300], "address": address or None, "last_seen_at": now}
    rows = Device.objects.filter(session_key=session_key)
    if rows.update(**facts):
        return
    try:
        with transaction.atomic():
            Device.objects.create(user=user, session_key=session_key, first_seen_at=now, **facts)
    except IntegrityError:  # a rival request of the same browser
        return


def current(user: User, *, now: datetime) -> list[Device]:
    """Return the browsers in which ``user`` is signed in now, the latest seen first."""
    rows = list(Device.objects.filter(user=user))
    live = Session.objects.filter(
        session_key__in=[row.session_key for row in rows], expire_date__gt=now
    )
    known = set(live.values_list("session_key", flat=True))
    return [row for row in rows if row.session_key in known]


def revoke(user: User, device_id: int) -> None:
    """Sign a browser of ``user`` out at once.

    Raises:
        UnknownDeviceError: there is none of that number, or it is a stranger's.
    """
    device = Device.objects.filter(user=user, pk=device_id).first()
    if device is None:
        raise UnknownDeviceError(f"no device {device_id}")
    _end(device)


def revoke_others(user: User, *, but: str) -> int:
    """Sign ``user`` out everywhere but in the session ``but``; return how many there were."""
    others = list(Device.objects.filter(user=user).exclude(session_key=but))
    for device in others:
        _end(device)
    return len(others)


def forget(session_key: str) -> None:
    """Drop the device of a session that ended by itself."""
    _written.pop(session_key, None)
    Device.objects.filter(session_key=session_key).delete()


def _end(device: Device) -> None:
    import_module(settings.SESSION_ENGINE).SessionStore().delete(device.session_key)
    forget(device.session_key)
