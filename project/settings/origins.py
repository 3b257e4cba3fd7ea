"""Which other sites' pages may ask: named origins, browser extensions, pages on this machine."""

from urllib.parse import urlsplit

from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from project.settings import env

_SCHEMES = ("http", "https", "chrome-extension", "moz-extension", "safari-web-extension")


def _origins(name: str, found: list[str]) -> list[str]:
    """Refuse what is no origin, above all a wildcard."""
    for word in found:
        parts = urlsplit(word)
        is_origin = parts.scheme in _SCHEMES and word == f"{parts.scheme}://{parts.netloc}"
        if not is_origin or not parts.hostname or "*" in word:
            raise ImproperlyConfigured(f"{name}={word}: write origins such as https://app.example")
    return found


CORS_ALLOWED_ORIGINS = _origins("CORS_ORIGINS", env.words("CORS_ORIGINS"))
#: Extensions and pages of the own machine have no fixed name; they show a key, as everybody.
CORS_ALLOWED_ORIGIN_REGEXES = (
    [
        # to the very end: the middleware only matches from the beginning
        r"(chrome|moz|safari-web)-extension://[A-Za-z0-9-]+\Z",
        r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?\Z",
    ]
    if env.flag("CORS_LOCAL", default=True)
    else []
)
#: No cookie ever goes with such a request.
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_ALL_ORIGINS = False
CORS_URLS_REGEX = r"^/api/.*$"
CORS_ALLOW_HEADERS = (*default_headers, "idempotency-key", "last-event-id", "x-request-id")
CORS_EXPOSE_HEADERS = (
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
    "idempotent-replay",
)
CORS_PREFLIGHT_MAX_AGE = 600
