"""API keys: making them, recognising them, taking them back."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts import noting, plans, recalling, second_factor
from accounts.choices import ALL_BUT_ADMIN, Scope
from accounts.models import ApiKey, User
from accounts.noting import NOWHERE, Sight
from project.core import auditing, limits, lookups
from project.core.auditing import Change, Deed
from project.core.callers import Allowance, Caller
from project.core.choices import Act
from project.core.errors import FieldProblem, InvalidInputError, NotFoundError

MARK: Final = "mr_"


class BadKeyRequestError(InvalidInputError):
    """A key can't be made from what was given."""

    code = "bad_key_request"
    title = "The key can't be made"

    @classmethod
    def of(cls, field: str, code: str, detail: str) -> "BadKeyRequestError":
        """Return the error that one field of the request makes."""
        return cls(detail, fields=(FieldProblem(field, code, detail),))


class UnknownKeyError(NotFoundError):
    """There is no such key, or it is a stranger's."""

    title = "No such key"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a key shall be like.

    Attributes:
        name: what it is for, for people.
        scopes: what it may do; none named: everything but ``admin``.
        expires_at: when it ends; None: never.
        allowed_networks: from where it may be used; none named: from anywhere.
    """

    name: str = ""
    scopes: Sequence[str] = ()
    expires_at: datetime | None = None
    allowed_networks: Sequence[str] = ()


ANY: Final = Wish()


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: ``secret`` is shown once and stored nowhere."""

    key: ApiKey
    secret: str


def digest(secret: str) -> str:
    """Return what is stored of a key: a key has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def granted(user: User, scopes: Sequence[str]) -> list[str]:
    """Return what a key of ``user`` may do for which ``scopes`` were named.

    Raises:
        BadKeyRequestError: an unknown scope, or ``admin`` for a user who isn't staff.
    """
    wanted = {str(scope) for scope in scopes or ALL_BUT_ADMIN}
    if unknown := sorted(wanted - set(Scope.values)):
        known = ", ".join(Scope.values)
        detail = f"unknown scope {', '.join(unknown)}; there are {known}"
        raise BadKeyRequestError.of("scopes", "unknown_scope", detail)
    if Scope.ADMIN in wanted and not user.is_staff:
        detail = "scope admin is for staff only"
        raise BadKeyRequestError.of("scopes", "staff_only", detail)
    return sorted(wanted)


def networks(texts: Sequence[str]) -> list[str]:
    """Return networks as they are stored.

    Raises:
        BadKeyRequestError: one of them is none.
    """
    try:
        return [str(limits.parse_network(text)) for text in texts]
    except ValueError as error:
        raise BadKeyRequestError.of(
            "allowed_networks", "no_network", f"no network: {error}"
        ) from error


def create(user: User, wish: Wish = ANY, *, by: Caller | None = None, now: datetime) -> NewKey:
    """Make a key for ``user``.

    Args:
        user: for whom the key acts.
        wish: what it shall be like.
        by: who makes it, for the audit trail; None where the console notes what it did.
        now: the moment, UTC.

    Raises:
        BadKeyRequestError: an unknown scope, ``admin`` for a user who isn't staff, no network,
            or an end that is past.
    """
    wanted = granted(user, wish.scopes)
    if wish.expires_at is not None and wish.expires_at <= now:
        detail = "the key would have ended already"
        raise BadKeyRequestError.of("expires_at", "past", detail)
    secret = MARK + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        user=user,
        name=wish.name,
        scopes=wanted,
        prefix=secret[:10],
        digest=digest(secret),
        created_at=now,
        expires_at=wish.expires_at,
        allowed_networks=networks(wish.allowed_networks),
    )
    facts = (("Name", wish.name), ("Scopes", ", ".join(wanted)))
    changes = [Change(label, "", value) for label, value in facts if value]
    _note(key, Deed(Act.ADDED, f"Made a key of {user}.", changes), by=by, now=now)
    return NewKey(key=key, secret=secret)


def _note(key: ApiKey, deed: Deed, *, by: Caller | None, now: datetime) -> None:
    """Note what was done to a key of staff, or to one by somebody else than its owner."""
    if by is not None and (key.user.is_staff or by.user_id != key.user_id):
        auditing.note(key, deed, by=by, now=now)


def create_for_email(
    email: str, *, name: str = "", scopes: Sequence[str] = (), by: Caller, now: datetime
) -> NewKey:
    """Make a key for the user with ``email``; an unknown e-mail makes a plain user.

    Raises:
        BadKeyRequestError: the e-mail is none, or as ``create``; then no user is made either.
    """
    wanted = email.strip().lower()
    try:
        # the first staff user's address has no dot: Django's validator knows ``localhost``
        validate_email(wanted)
    except ValidationError as error:
        raise BadKeyRequestError(f"{email!r} is not an e-mail address") from error
    with transaction.atomic():
        user = User.objects.filter(email=wanted).first() or _new_user(wanted, by=by, now=now)
        return create(user, Wish(name, scopes), by=by, now=now)


def _new_user(email: str, *, by: Caller, now: datetime) -> User:
    try:
        with transaction.atomic():
            made = User.objects.create_user(email)
    except IntegrityError:  # a rival made it
        return User.objects.get(email=email)
    auditing.note(made, Deed(Act.ADDED, "Made for a key."), by=by, now=now)
    return made


def recognise(
    secret: str,
    *,
    now: datetime,
    sight: Sight = NOWHERE,
) -> tuple[User, Caller] | None:
    """Return whose key ``secret`` is, and what it may do; None for a key that doesn't hold.

    A key that may be used from some networks alone holds only there. Costs one query, none where
    the key is remembered; its last use is written behind.
    """
    own = digest(secret)
    found = recalling.key(own, now=now) or _read(own, now=now)
    if found is None:
        return None
    if found.allowed_networks and not limits.is_in(sight.address, found.allowed_networks):
        return None
    noting.key_used(found.pk, sight, user_id=found.user_id, now=now)
    return found.user, caller_of_key(found)


def _read(own: str, *, now: datetime) -> ApiKey | None:
    """Read a key that holds from the database, and remember it."""
    turn = lookups.begin()
    with_user = (f"user__{each}" for each in plans.WITH_USER)
    valid = ApiKey.objects.valid(at=now).select_related(*with_user)
    found = valid.filter(digest=own).first()
    if found is not None:
        recalling.keep_key(turn, found)
    return found


def caller_of_key(key: ApiKey) -> Caller:
    """Return the caller that a key stands for."""
    return bearer(
        key.user_id,
        is_staff=key.user.is_staff,
        scopes=frozenset(str(scope) for scope in key.scopes),
        key_id=key.pk,
        allowance=plans.allowance_of(key.user),
    )


def bearer(
    user_id: int,
    *,
    is_staff: bool,
    scopes: frozenset[str],
    key_id: int,
    allowance: Allowance | None,
) -> Caller:
    """Return whoever shows a key: staff only where both its user and the key itself are."""
    return Caller(
        user_id=user_id,
        is_staff=is_staff and Scope.ADMIN in scopes,
        scopes=scopes,
        key_id=key_id,
        allowance=allowance,
    )


def caller_of_user(user: User) -> Caller:
    """Return the caller that a signed-in person is."""
    is_staff = user.is_staff and not second_factor.is_missing(user)
    return Caller(user_id=user.pk, is_staff=is_staff, allowance=plans.allowance_of(user))


def revoke(key: ApiKey, *, now: datetime) -> bool:
    """Take a key back at once; False when it was already."""
    taken = ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now)
    recalling.forget_key(key.digest)
    return bool(taken)


def rotate(key: ApiKey, *, now: datetime) -> NewKey:
    """Make a key that may what ``key`` may, and take that one back, both or neither.

    Raises:
        BadKeyRequestError: it was taken back or has ended, or its user may no longer what it may.
    """
    with transaction.atomic():
        if not revoke(key, now=now):
            raise BadKeyRequestError("the key was taken back already")
        wish = Wish(
            name=key.name,
            scopes=[str(scope) for scope in key.scopes],
            expires_at=key.expires_at,
            allowed_networks=[str(one) for one in key.allowed_networks],
        )
        return create(key.user, wish, now=now)


def revoke_own(user: User, key_id: int, *, by: Caller, now: datetime) -> None:
    """Take a key of ``user`` back at once; again: nothing.

    Raises:
        UnknownKeyError: there is none of that number, or it is a stranger's.
    """
    key = ApiKey.objects.filter(user=user, pk=key_id).select_related("user").first()
    if key is None:
        raise UnknownKeyError(f"no key {key_id}")
    if revoke(key, now=now):
        _note(key, Deed(Act.DONE, "Revoked."), by=by, now=now)
