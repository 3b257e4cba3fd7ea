"""How often a caller may ask: the rules that rows of `RateLimitRule` override, and who is asked."""

import ipaddress
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from project.settings import env


def _networks(name: str, words: list[str]) -> list[str]:
    """Refuse what is no network, before it would stop a request."""
    for word in words:
        try:
            ipaddress.ip_network("127.0.0.1" if word == "unix" else word, strict=False)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}={word}: write networks or addresses") from error
    return words


RATE_LIMIT_ENABLED = env.flag("RATE_LIMIT_ENABLED", default=True)
#: Networks of front proxies, whose X-Forwarded-For is believed; `unix`: whoever has no address.
TRUSTED_PROXIES = _networks("TRUSTED_PROXIES", env.words("TRUSTED_PROXIES"))
#: Networks that no rule limits.
RATE_LIMIT_ALLOW = _networks("RATE_LIMIT_ALLOW", env.words("RATE_LIMIT_ALLOW"))
#: Never counted: probes and scrapers must get an answer when everything else is too much.
RATE_LIMIT_FREE = (
    "/health",
    "/health/**",
    "/api/health",
    "/api/etl/health",
    "/metrics",
    "/judge",
    "/static/**",
)
_STREAMS = ("/api/**/stream", "/ws/**")
#: `*` is one step of a path, `**` any number. The rule with the most letters counts a request, no
#: other. `raised_by`: the number of the caller's plan that replaces `amount`.
RATE_LIMITS: dict[str, dict[str, Any]] = {
    "sign_in": {
        "paths": ("/api/auth/login", "/sign-in", "/admin/login/"),
        "methods": ("POST",),
        "amount": 5,
        "by": "address",
    },
    "register": {
        "paths": ("/api/auth/register", "/register"),
        "methods": ("POST",),
        "amount": 5,
        "by": "address",
    },
    "password_reset": {
        "paths": ("/api/auth/password/reset", "/password/reset"),
        "methods": ("POST",),
        "amount": 5,
        "by": "address",
    },
    "stream": {"paths": _STREAMS, "amount": 5, "raised_by": "streams_per_minute"},
    # Coming back with Last-Event-ID is no opening; bounded only so that the header opens no door.
    "reconnect": {"paths": _STREAMS, "amount": 600, "again": True},
    "api": {"paths": ("/api/**",), "amount": 60, "raised_by": "api_per_minute"},
    "all": {"paths": ("/**",), "amount": 100, "raised_by": "requests_per_minute"},
}
