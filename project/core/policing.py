"""What our pages may load and run: nothing that isn't ours, and no script or style in the page.

The console's pages are an exception: Alpine evaluates expressions, and sets styles in the page.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from project.core.middleware import Middleware

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


class PolicyMiddleware(Middleware):
    """Adds the policy, and what else a browser shall keep to, to every answer of Django's."""

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """Answer ``request``, with the headers."""
        return _told(request, self.get_response(request))

    async def answer_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer ``request``, with the headers."""
        return _told(request, await self.get_response(request))


def headers_of(path: str) -> list[tuple[str, str]]:
    """Return what an answer to ``path`` says to browsers."""
    return [(HEADER, policy_of(path)), *_OTHERS.items()]


def _told(request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
    for name, value in headers_of(request.path_info):
        answer.headers.setdefault(name, value)
    return answer
