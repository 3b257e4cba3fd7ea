"""Recognising the caller: ``Authorization: Api-Key …`` or the session cookie.

``request.auth`` is then a ``Caller`` (``project/core/callers.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from rest_framework.authentication import (
    BaseAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied

from accounts import keys
from accounts.models import User

if TYPE_CHECKING:
    from rest_framework.request import Request

    from project.core.callers import Caller

SCHEME: Final = "api-key"


def key_in(header: str) -> str | None:
    """Return the key of an ``Authorization`` header; None where it is of another scheme."""
    scheme, _, secret = header.strip().partition(" ")
    return secret.strip() if scheme.lower() == SCHEME else None


class ApiKeyAuthentication(BaseAuthentication):
    """Authenticate by API key."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        secret = key_in(get_authorization_header(request).decode("latin-1"))
        if secret is None:
            return None
        found = keys.recognise(secret, now=timezone.now())
        if found is None:
            raise AuthenticationFailed("the API key is unknown, revoked or expired")
        return found

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
        return user, keys.caller_of_user(user)

    def enforce_csrf(self, request: Request) -> None:
        """Refuse an unsafe request without its token, by the code that pages use, too."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(str(error.detail), code="csrf_failed") from error
