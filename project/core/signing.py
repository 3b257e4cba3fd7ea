"""How a message between programs is signed: with its moment, so that an old one can't be sent again.

``t=1767614400,v1=<hex>``, where the hex is HMAC-SHA256 over ``1767614400.<body>``.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from project.core.errors import ForbiddenError

#: How far the clocks of sender and receiver may be apart, message's way included.
WITHIN: Final = timedelta(minutes=5)


class BadSignatureError(ForbiddenError):
    """The message is not signed, or not by whoever knows the secret."""

    code = "bad_signature"
    title = "The signature is wrong"


class StaleSignatureError(ForbiddenError):
    """The message is too old, or from the future."""

    code = "stale_signature"
    title = "The signature is too old"


def sign(body: bytes, *, secret: str, at: datetime) -> str:
    """Return what goes into the header of a signed message."""
    moment = int(at.timestamp())
    return f"t={moment},v1={_digest(body, secret, str(moment))}"


def _digest(body: bytes, secret: str, moment: str) -> str:
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def check(body: bytes, header: str, *, secrets: Sequence[str], now: datetime) -> None:
    """Refuse a message that isn't signed by one of ``secrets``, or not lately.

    Raises:
        BadSignatureError: unsigned, or signed by somebody else.
        StaleSignatureError: signed more than five minutes from now.
    """
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    moment, given = parts.get("t", ""), parts.get("v1", "")
    if not (moment.isascii() and moment.isdecimal() and len(moment) < 12):  # noqa: PLR2004 -- a moment
        raise BadSignatureError("the header is t=<seconds since 1970>,v1=<hex>")
    found = [
        hmac.compare_digest(_digest(body, one, moment), given)
        for one in _bytes_safe(given, secrets)
    ]
    if not any(found):
        raise BadSignatureError("signed with another secret, or the body was changed")
    if abs(now.timestamp() - int(moment)) > WITHIN.total_seconds():
        raise StaleSignatureError("sign and send it anew")


def _bytes_safe(given: str, secrets: Sequence[str]) -> Sequence[str]:
    """Return the secrets to try; none for what no digest can be."""
    return secrets if given.isascii() else ()
