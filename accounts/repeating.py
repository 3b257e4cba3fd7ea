"""Requests that are sent again under one ``Idempotency-Key``: done once, answered alike."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from accounts.models import KeptAnswer
from project.core.errors import ConflictError, InvalidInputError

KEPT: Final = timedelta(hours=24)
#: After this the process that was at work is taken to be dead.
AT_WORK: Final = timedelta(minutes=10)
MOST_LETTERS: Final = 200


class BadIdempotencyKeyError(InvalidInputError):
    """The key is empty, too long, or not of printable letters."""

    code = "bad_idempotency_key"
    title = "Bad Idempotency-Key"


class KeyReusedError(InvalidInputError):
    """The key was sent before, with another request."""

    code = "idempotency_key_reused"
    title = "The Idempotency-Key belongs to another request"


class StillAtWorkError(ConflictError):
    """The same request is still at work."""

    code = "still_at_work"
    title = "The same request is still at work"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do the work of a request; ``answer`` where it is done already."""

    pk: int
    token: uuid.UUID
    answer: KeptAnswer | None = None


def digest(*parts: bytes) -> str:
    """Return what tells one request from another."""
    return hashlib.sha256(
        b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    ).hexdigest()


def claim(caller: str, key: str, *, digest: str, now: datetime) -> Claim:
    """Claim the work of a request, or find its answer.

    Raises:
        BadIdempotencyKeyError: the key is none.
        KeyReusedError: another request had it in the last 24 hours.
        StillAtWorkError: the same request is at work.
    """
    if not (0 < len(key) <= MOST_LETTERS and key.isascii() and key.isprintable()):
        raise BadIdempotencyKeyError(f"1 to {MOST_LETTERS} printable ASCII letters")
    KeptAnswer.objects.filter(created_at__lte=now - KEPT).delete()
    token = uuid.uuid4()
    facts = {"digest": digest, "token": token, "created_at": now}
    try:
        with transaction.atomic():
            row = KeptAnswer.objects.create(caller=caller, key=key, **facts)
    except IntegrityError:
        return _known(caller, key, digest=digest, now=now)
    return Claim(row.pk, token)


def _known(caller: str, key: str, *, digest: str, now: datetime) -> Claim:
    row = KeptAnswer.objects.filter(caller=caller, key=key).first()
    if row is None:  # it failed just now, and was dropped
        raise StillAtWorkError("try again")
    if row.digest != digest:
        raise KeyReusedError("use a new key for a new request")
    if row.status is not None:
        return Claim(row.pk, row.token, row)
    token = uuid.uuid4()
    dead = KeptAnswer.objects.filter(pk=row.pk, token=row.token, created_at__lte=now - AT_WORK)
    if not dead.update(token=token, created_at=now):
        raise StillAtWorkError("try again later")
    return Claim(row.pk, token)


def keep(own: Claim, *, status: int, content_type: str, body: str) -> None:
    """Keep the answer; nothing where somebody took the claim over."""
    KeptAnswer.objects.filter(pk=own.pk, token=own.token).update(
        status=status, content_type=content_type[:100], body=body
    )


def drop(own: Claim) -> None:
    """Give the claim up: the work was not done, and may be tried again."""
    KeptAnswer.objects.filter(pk=own.pk, token=own.token, status=None).delete()
