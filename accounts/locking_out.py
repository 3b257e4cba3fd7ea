"""When nobody may sign in with an e-mail any more: after repeated failures, known or not."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F

from accounts.models import SignInFailures
from project.core import limits
from project.core.errors import QuotaExceededError

#: Failures from one address, and from anywhere: the second is higher, so that a stranger
#: can't lock somebody out from one place.
FROM_ONE: Final = 10
FROM_ALL: Final = 100
WITHIN: Final = timedelta(minutes=15)
LOCKED_FOR: Final = timedelta(minutes=15)
KEPT: Final = timedelta(days=1)


class LockedOutError(QuotaExceededError):
    """Too many failed sign-ins: wait, or set a new password."""

    code = "locked_out"
    title = "Too many failed sign-ins"

    def __init__(self, detail: str = "", *, retry_after_s: float, **extra: object) -> None:
        super().__init__(detail, **extra)
        self.retry_after_s = retry_after_s


def _names(email: str, address: str) -> dict[str, int]:
    """Return the names under which failures are counted, each with how many are allowed."""
    login = email.strip().lower()
    one = f"{login}|{limits.counted_as(address)}"
    return {_digest(one): FROM_ONE, _digest(login): FROM_ALL}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def locked_until(email: str, *, address: str, now: datetime) -> datetime | None:
    """Return until when nobody may sign in so; None where they may."""
    rows = SignInFailures.objects.filter(name__in=_names(email, address), locked_until__gt=now)
    return rows.order_by("-locked_until").values_list("locked_until", flat=True).first()


def require_open(email: str, *, address: str, now: datetime) -> None:
    """Refuse a sign-in after repeated failures, whatever the password.

    Raises:
        LockedOutError: there were too many.
    """
    until = locked_until(email, address=address, now=now)
    if until is not None:
        wait_s = (until - now).total_seconds()
        minutes = max(1, round(wait_s / 60))
        detail = f"too many failed sign-ins: try again in {minutes} min, or set a new password"
        raise LockedOutError(detail, retry_after_s=wait_s, reset_seconds=max(1, round(wait_s)))


def failed(email: str, *, address: str, now: datetime) -> None:
    """Count a failed sign-in."""
    for name, allowed in _names(email, address).items():
        SignInFailures.objects.filter(name=name, first_failed_at__lte=now - WITHIN).delete()
        SignInFailures.objects.get_or_create(name=name, defaults={"first_failed_at": now})
        rows = SignInFailures.objects.filter(name=name)
        rows.update(failures=F("failures") + 1)
        rows.filter(failures__gte=allowed).update(locked_until=now + LOCKED_FOR)
    SignInFailures.objects.filter(first_failed_at__lt=now - KEPT).delete()


def forgive(email: str, *, address: str) -> None:
    """Forget the failures from one address: somebody there knew the password."""
    name = next(iter(_names(email, address)))
    SignInFailures.objects.filter(name=name).delete()
