"""In which browsers a user is signed in, and signing them out from afar."""

from datetime import datetime

from accounts import noting
from accounts.models import Device, Session, User
from accounts.noting import Sight
from accounts.sessions import SessionStore
from project.core.errors import NotFoundError


class UnknownDeviceError(NotFoundError):
    """There is no such device, or it is a stranger's."""

    title = "No such device"


def begun(user: User, session_key: str, sight: Sight, *, now: datetime) -> None:
    """Note that ``user`` has just signed in with a browser."""
    noting.new_device(session_key, sight, user_id=user.pk, now=now)


def current(user: User, *, now: datetime) -> list[Device]:
    """Return the browsers in which ``user`` is signed in now, the latest seen first."""
    noting.now_seen()
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
    _end(device.session_key)


def revoke_others(user: User, *, but: str) -> int:
    """Sign ``user`` out everywhere but in the session ``but``; return how many there were."""
    known = Device.objects.filter(user=user).values_list("session_key", flat=True)
    open_ones = Session.objects.filter(user=user).values_list("session_key", flat=True)
    others = (set(known) | set(open_ones)) - {but}
    for session_key in others:
        _end(session_key)
    return len(others)


def forget(session_key: str) -> None:
    """Drop the device of a session that ended by itself."""
    noting.forget_session(session_key)
    Device.objects.filter(session_key=session_key).delete()


def _end(session_key: str) -> None:
    SessionStore().delete(session_key)
    forget(session_key)
