import urllib.error
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.management.commands import check_rate_limits
from accounts.management.commands.check_rate_limits import Answer, Row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limits_on")]
URL = "http://127.0.0.1:8000"


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command ask this process; streams are no business of Django's here."""
    from project.core import health

    monkeypatch.setattr(health, "summary", lambda **_: {"status": "healthy"})
    client = APIClient()

    def fetch(method: str, url: str) -> Answer:
        answer = client.generic(method, url.removeprefix(URL), "{}", "application/json")
        return Answer(answer.status_code, dict(answer.headers))

    monkeypatch.setattr(check_rate_limits, "fetch", fetch)


def run(url: str = URL) -> str:
    out = StringIO()
    call_command("check_rate_limits", url, stdout=out)
    return out.getvalue()


def test_default_table_holds(installation):
    lines = [line.split() for line in run().splitlines()[1:]]

    assert [line[-6:] for line in lines] == [
        ["in", "5", "3", "5", "+", "3", "ok"][-6:],
        ["5", "3", "5", "+", "3", "ok"],
        ["5", "3", "5", "+", "3", "ok"],
        ["60", "5", "60", "+", "5", "ok"],
        ["65", "0", "65", "+", "0", "ok"],
    ]


def test_limits_that_do_not_hold_fail_the_command(installation, settings):
    settings.RATE_LIMIT_ENABLED = False

    with pytest.raises(CommandError, match="4 of 5"):
        run_without_waiting()


def run_without_waiting() -> None:
    command = check_rate_limits.Command(stdout=StringIO(), stderr=StringIO())
    command._wait = lambda seconds: None  # type: ignore[method-assign]
    command.handle(url=URL)


def window(used: int, of: int) -> tuple[Callable[[str, str], Answer], Callable[[float], None]]:
    """Return an installation with requests in its window, and what empties it."""
    state = {"used": used}

    def get(method: str, url: str) -> Answer:
        if state["used"] >= of:
            return Answer(429, {"X-RateLimit-Remaining": "0"})
        state["used"] += 1
        return Answer(401, {"x-ratelimit-remaining": str(of - state["used"])})

    def wait(seconds: float) -> None:
        assert seconds > 60
        state["used"] = 0

    return get, wait


@pytest.mark.parametrize("used", [0, 2, 5])
def test_window_in_use_is_waited_for(used):
    get, wait = window(used, of=5)

    row = Row("sign in", "POST", "/x", 5, 3)

    assert check_rate_limits.count(row, URL, get=get, wait=wait) == (5, 3)


@pytest.mark.parametrize("url", ["ftp://x", "file:///etc/passwd", "127.0.0.1:8000"])
def test_other_addresses_are_refused(url):
    with pytest.raises(CommandError, match="http"):
        run(url)


def test_silence_is_told():
    with pytest.raises(CommandError, match="does not answer"):
        run("http://127.0.0.1:1")


def test_fetch_gives_refusals_as_answers(monkeypatch):
    def refuse(request: Any, timeout: float) -> None:
        raise urllib.error.HTTPError(request.full_url, 429, "no", {"Retry-After": "3"}, None)  # type: ignore[arg-type]

    monkeypatch.setattr("urllib.request.urlopen", refuse)

    assert check_rate_limits.fetch("POST", URL) == Answer(429, {"Retry-After": "3"})
