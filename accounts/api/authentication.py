"""Recognising the caller: ``Authorization: Api-Key …`` or the session cookie.

``request.auth`` is then a ``Caller`` (``project/core/callers.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied

from accounts import keys, noting
from accounts.backends import sight_of
from accounts.models import User
from project.core.callers import NOBODY, Caller

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

SCHEME: Final = "api-key"


def key_in(header: str) -> str | None:
    """Return the key of an ``Authorization`` header; None where it is of another scheme."""
    scheme, _, secret = header.strip().partition(" ")
    return secret.strip() if scheme.lower() == SCHEME else None


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the key of a request turned out to be; no user: it doesn't hold."""

    user: User | None = None
    caller: Caller = NOBODY


def recognised(request: HttpRequest) -> Recognised | None:
    """Return whose key a request shows, looked up once; None where it shows none."""
    known: Recognised | None = getattr(request, "recognised_key", None)
    if known is not None:
        return known
    secret = key_in(request.META.get("HTTP_AUTHORIZATION", ""))
    if secret is None:
        return None
    found = keys.recognise(secret, now=timezone.now(), sight=sight_of(request))
    known = Recognised(*found) if found else Recognised()
    request.recognised_key = known  # type: ignore[attr-defined]
    return known


class ApiKeyAuthentication(BaseAuthentication):
    """Authenticate by API key."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        found = recognised(request._request)  # noqa: SLF001 -- DRF has no public name for it
        if found is None:
            return None
        if found.user is None:
            raise AuthenticationFailed("the API key is unknown, revoked or expired")
        return found.user, found.caller

    def authenticate_header(self, request: Request) -> str:
        return "Api-Key"


class CookieAuthentication(SessionAuthentication):
    """Authenticate by session cookie; unsafe methods need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        found: Any = super().authenticate(request)
        if found is None:
            return None
        user = found[0]
        assert isinstance(user, User)  # noqa: S101 -- AUTH_USER_MODEL
        http = request._request  # noqa: SLF001 -- DRF has no public name for it
        if session_key := http.session.session_key:
            sight = sight_of(http)
            noting.session_used(session_key, sight, user_id=user.pk, now=timezone.now())
        return user, keys.caller_of_user(user)

    def enforce_csrf(self, request: Request) -> None:
        """Refuse an unsafe request without its token, by the code that pages use, too."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(str(error.detail), code="csrf_failed") from error
