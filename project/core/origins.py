"""Which other sites' pages may ask us: an allow-list, and never with somebody's cookie.

Django's answers get the headers from django-cors-headers; streams pass Django by, and get the same
ones here.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from django.conf import settings

App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
_METHODS: Final = b"GET, OPTIONS"


def is_allowed(origin: str) -> bool:
    """Say whether pages of ``origin`` may ask."""
    if origin in settings.CORS_ALLOWED_ORIGINS:
        return True
    return any(re.fullmatch(one, origin) for one in settings.CORS_ALLOWED_ORIGIN_REGEXES)


class CorsStream:
    """A stream that pages of allowed origins may read, with a key in the header."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer the browser's question first, or let the stream open."""
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        if scope["type"] != "http" or not origin or not is_allowed(origin):
            await self.app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await _permit(headers, origin, send)
            return
        await self.app(scope, receive, _telling(send, origin))


def _own(origin: str) -> list[tuple[bytes, bytes]]:
    return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]


async def _permit(headers: Mapping[bytes, bytes], origin: str, send: Any) -> None:
    wanted = ", ".join(settings.CORS_ALLOW_HEADERS).encode()
    told = [
        *_own(origin),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", wanted),
        (b"access-control-max-age", str(settings.CORS_PREFLIGHT_MAX_AGE).encode()),
        (b"content-length", b"0"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": told})
    await send({"type": "http.response.body", "body": b""})


def _telling(send: Any, origin: str) -> Any:
    async def send_with(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *_own(origin)]}
        await send(message)

    return send_with
