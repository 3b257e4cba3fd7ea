"""A second factor at sign-in: codes of an app (RFC 6238), and recovery codes for its loss."""

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts import locking_out, recalling
from accounts.models import SecondFactor, User
from project.core.errors import ConflictError, InvalidInputError

STEP_S: Final = 30
_DIGITS: Final = 6
#: Clocks of phones go wrong: the code before and after the present one hold, too.
_STEPS: Final = (-1, 0, 1)
_RECOVERY_CODES: Final = 10
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


class WrongCodeError(InvalidInputError):
    """The code is another one, too old, or was used."""

    code = "wrong_code"
    title = "Wrong code"


class AlreadyOnError(ConflictError):
    """The second factor is on: turn it off first."""

    code = "second_factor_on"
    title = "The second factor is on"


def code_at(secret: str, step: int) -> str:
    """Return the code of a step of thirty seconds."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = mac[-1] & 15
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)


def step_of(now: datetime) -> int:
    """Return the step in which a moment lies."""
    return int(now.timestamp()) // STEP_S


def is_on(user: User) -> bool:
    """Say whether ``user`` signs in with a code."""
    return user.second_factor_at is not None


def is_missing(user: User) -> bool:
    """Say whether ``user`` may not use staff's pages before they have a second factor."""
    return bool(settings.STAFF_SECOND_FACTOR) and user.is_staff and not is_on(user)


def begin(user: User) -> str:
    """Return the secret for the user's app: the same until it is confirmed.

    Raises:
        AlreadyOnError: the second factor is on.
    """
    if is_on(user):
        raise AlreadyOnError("turn it off first")
    row, _ = SecondFactor.objects.get_or_create(
        user=user, defaults={"secret": base64.b32encode(secrets.token_bytes(20)).decode()}
    )
    return str(row.secret)


def begun(user: User) -> str:
    """Return the secret that waits to be confirmed; empty where there is none."""
    row = None if is_on(user) else SecondFactor.objects.filter(user=user).first()
    return str(row.secret) if row else ""


def address(user: User, secret: str) -> str:
    """Return what the QR code says."""
    facts = urlencode({"secret": secret, "issuer": "Millrace"})
    return f"otpauth://totp/{quote(f'Millrace:{user.email}')}?{facts}"


def confirm(user: User, code: str, *, now: datetime) -> list[str]:
    """Turn the second factor on; return the recovery codes, which are shown this once.

    Raises:
        WrongCodeError: the app shows another code.
        AlreadyOnError: it is on.
    """
    if is_on(user):
        raise AlreadyOnError("turn it off first")
    row = SecondFactor.objects.filter(user=user).first()
    step = _step(row, code, now=now) if row is not None else None
    if row is None or step is None:
        raise WrongCodeError("the app shows another code: is its clock right?")
    made = ["-".join(_word() for _ in range(3)) for _ in range(_RECOVERY_CODES)]
    with transaction.atomic():
        SecondFactor.objects.filter(pk=row.pk).update(
            last_step=step, recovery=[_digest(one) for one in made]
        )
        User.objects.filter(pk=user.pk).update(second_factor_at=now)
        user.second_factor_at = now
        recalling.forget_user(user.pk)
    return made


def _word() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(5))


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()


def _step(row: SecondFactor, code: str, *, now: datetime) -> int | None:
    """Return the step whose code this is; None for none, or one that was used."""
    given = code.replace(" ", "")
    found = None
    for step in (step_of(now) + one for one in _STEPS):
        is_it = hmac.compare_digest(
            code_at(row.secret, step).encode(), given.encode("utf-8", "replace")
        )
        if is_it and (row.last_step is None or step > row.last_step):
            found = step
    return found


def require(user: User, code: str, *, address: str, now: datetime) -> None:
    """Refuse a sign-in without the right code; each code holds once.

    Raises:
        WrongCodeError: the code is another one.
        LockedOutError: too many wrong ones.
    """
    name = f"second factor of {user.email}"  # counted apart: the right password forgives the others
    locking_out.require_open(name, address=address, now=now)
    if not _spent(user, code, now=now):
        locking_out.failed(name, address=address, now=now)
        raise WrongCodeError("wrong code, or used before")
    locking_out.forgive(name, address=address)


def _spent(user: User, code: str, *, now: datetime) -> bool:
    """Use a code up; False for one that doesn't hold, or that a rival used just now."""
    row = SecondFactor.objects.filter(user=user).first()
    if row is None:
        return False
    step = _step(row, code, now=now)
    if step is not None:
        fresh = Q(last_step__isnull=True) | Q(last_step__lt=step)
        return bool(SecondFactor.objects.filter(fresh, pk=row.pk).update(last_step=step))
    with transaction.atomic():
        locked = SecondFactor.objects.select_for_update().get(pk=row.pk)
        left = [one for one in locked.recovery if one != _digest(code)]
        if len(left) == len(locked.recovery):
            return False
        SecondFactor.objects.filter(pk=row.pk).update(recovery=left)
        return True


def turn_off(user: User) -> None:
    """Turn the second factor off, and forget the app and the recovery codes."""
    with transaction.atomic():
        SecondFactor.objects.filter(user=user).delete()
        User.objects.filter(pk=user.pk).update(second_factor_at=None)
        recalling.forget_user(user.pk)
