"""``manage.py check_rate_limits URL``: asks a running installation until it says no."""

import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

TIMEOUT_S: Final = 10.0
#: After this without a request every window is empty.
WINDOW_S: Final = 61.0
TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what is asked how often, and how often it may pass."""

    what: str
    method: str
    path: str
    passing: int
    refused: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What matters of an answer."""

    status: int
    headers: Mapping[str, str]


Fetch = Callable[[str, str], Answer]
TABLE: Final = (
    Row("sign in", "POST", "/api/auth/login", 5, 3),
    Row("register", "POST", "/api/auth/register", 5, 3),
    Row("open a stream", "GET", f"/api/runs/{uuid.UUID(int=0)}/stream", 5, 3),
    Row("ask the API", "GET", "/api/runs", 60, 5),
    Row("health", "GET", "/api/health", 65, 0),
)


def fetch(method: str, url: str) -> Answer:
    """Send one request as nobody; a body of a request that changes something is empty."""
    body = b"{}" if method == "POST" else None
    request = urllib.request.Request(url, data=body, method=method)  # noqa: S310 -- see handle
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 -- as above
            return Answer(answer.status, dict(answer.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers))


def count(row: Row, url: str, *, get: Fetch, wait: Callable[[float], None]) -> tuple[int, int]:
    """Return how many requests passed, and how many got 429.

    Where somebody at this address asked within the last minute the first answer tells, and the
    count begins when the window is empty again.
    """
    address = url.rstrip("/") + row.path
    first = get(row.method, address)
    if row.refused and _left(first) != row.passing - 1:
        wait(WINDOW_S)
        first = get(row.method, address)
    statuses = [first.status]
    statuses += [get(row.method, address).status for _ in range(row.passing + row.refused - 1)]
    refused = statuses.count(TOO_MANY)
    return len(statuses) - refused, refused


def _left(answer: Answer) -> int:
    return -1 if answer.status == TOO_MANY else int(_header(answer, "X-RateLimit-Remaining", "-1"))


def _header(answer: Answer, name: str, default: str) -> str:
    return next(
        (value for key, value in answer.headers.items() if key.lower() == name.lower()), default
    )


class Command(BaseCommand):
    """Ask a running installation until it says no, and compare with what it should allow."""

    help = "Check the default rate limits of a running installation, as an anonymous caller."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", help="e.g. http://127.0.0.1:8000")

    def handle(self, *args: Any, **options: Any) -> None:
        url: str = options["url"]
        if not url.startswith(("http://", "https://")):
            raise CommandError("the address begins with http:// or https://")
        wrong = 0
        self.stdout.write(f"{'what':<16}{'passed':>8}{'429':>6}   expected")
        for row in TABLE:
            try:
                passed, refused = count(row, url, get=fetch, wait=self._wait)
            except OSError as error:
                raise CommandError(f"{url} does not answer: {error}") from error
            is_right = (passed, refused) == (row.passing, row.refused)
            wrong += not is_right
            expected = f"{row.passing} + {row.refused}"
            verdict = "ok" if is_right else "WRONG"
            self.stdout.write(f"{row.what:<16}{passed:>8}{refused:>6}   {expected:<9}{verdict}")
        if wrong:
            raise CommandError(f"{wrong} of {len(TABLE)} limits are not as they should be")

    def _wait(self, seconds: float) -> None:
        self.stderr.write(f"asked within the last minute: waiting {seconds:.0f} s")
        time.sleep(seconds)
