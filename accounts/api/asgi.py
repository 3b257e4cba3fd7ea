"""Recognising who opens a stream or a websocket: the same key or cookie as in REST."""

from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, parse_cookie
from django.utils import timezone

from accounts import glancing, keys
from accounts.api.authentication import key_in
from accounts.backends import user_of
from accounts.models import User
from accounts.noting import Sight
from project.core import limits
from project.core.callers import NOBODY, Caller
from project.core.hub import in_thread

App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class CallerMiddleware:
    """Puts a ``Caller`` into ``scope["caller"]``; ``NOBODY`` where nothing valid was shown."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Recognise the caller, then go on."""
        await self.app({**scope, "caller": await recognise(scope)}, receive, send)


async def recognise(scope: Mapping[str, Any]) -> Caller:
    """Return who asks: one query for a key or a cookie, none where they are remembered."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    if (secret := key_in(headers.get(b"authorization", ""))) is not None:
        return await in_thread(_by_key, secret, _sight(scope, headers))
    if scope["type"] == "websocket" and not _is_own_origin(headers):
        return NOBODY
    session_key = parse_cookie(headers.get(b"cookie", "")).get(settings.SESSION_COOKIE_NAME)
    return await in_thread(_by_session, session_key) if session_key else NOBODY


def _sight(scope: Mapping[str, Any], headers: Mapping[bytes, str]) -> Sight:
    address = limits.client_address(
        (scope.get("client") or ("",))[0],
        headers.get(b"x-forwarded-for", ""),
        trusted=settings.TRUSTED_PROXIES,
    )
    return Sight(address, headers.get(b"user-agent", ""))


def _by_key(secret: str, sight: Sight) -> Caller:
    return glancing.caller(secret, now=timezone.now(), sight=sight) or NOBODY


def _by_session(session_key: str) -> Caller:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = user_of(request)
    return keys.caller_of_user(user) if isinstance(user, User) and user.is_active else NOBODY


def _is_own_origin(headers: Mapping[bytes, str]) -> bool:
    """Say whether a page of ours opened the websocket; programs send no origin.

    Browsers attach cookies to websockets that any page opens: without this check another
    site's page could read along.
    """
    origin = headers.get(b"origin")
    if origin is None or origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    return urlsplit(origin).netloc == headers.get(b"host")
