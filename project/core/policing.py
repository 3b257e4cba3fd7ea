"""What our pages may load and run: nothing that isn't ours, and no script or style in the page.

The console's pages are an exception: Alpine evaluates expressions, and sets styles in the page.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER: Final = "Content-Security-Policy"
_STRICT: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
_CONSOLE: Final = _STRICT | {
    "script-src": "'self' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
}
_OTHERS: Final = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-site",
}


def policy_of(path: str) -> str:
    """Return the policy of the page at ``path``."""
    rules = dict(_CONSOLE if path.startswith("/admin/") else _STRICT)
    if tiles := getattr(settings, "TILES_URL", ""):
        parts = urlsplit(tiles.replace("{s}", "*"))
        rules["img-src"] += f" {parts.scheme}://{parts.netloc}"
    return _written(rules)


def _written(rules: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in rules.items())


class PolicyMiddleware:
    """Adds the policy, and what else a browser shall keep to, to every answer of Django's."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Answer ``request``, with the headers."""
        if self.is_async:
            return self._answer(request, self.get_response(request))
        return _told(request, self.get_response(request))

    async def _answer(
        self, request: HttpRequest, answer: Awaitable[HttpResponseBase]
    ) -> HttpResponseBase:
        return _told(request, await answer)


def _told(request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
    answer.headers.setdefault(HEADER, policy_of(request.path_info))
    for name, value in _OTHERS.items():
        answer.headers.setdefault(name, value)
    return answer
