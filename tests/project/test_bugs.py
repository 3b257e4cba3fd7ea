"""Reports of bugs, as a Sentry server receives them."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
import sentry_sdk
from rest_framework.test import APIClient

from project.core import bugs, working
from project.core.callers import Caller
from proxies import fetching
from tests.factories import make_key, make_staff
from tests.project import sinks
from tests.proxies.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = ["geheim1", "geheim2", "geheim3", "geheim4", "geheim5", "geheim6", "geheim7"]
PLANTED = (
    "via socks5://hans:geheim1@10.0.0.1:1080 with Authorization: Api-Key geheim2 "
    "\nCookie: sessionid=geheim3; csrftoken=geheim4\n{'X-Api-Key': 'geheim5'} "
    "https://a.example/?token=geheim6&x=1 password=geheim7"
)
Reports = Callable[[], str]


@pytest.fixture
def reports(settings) -> Iterator[Reports]:
    """Name a Sentry server; gives what returns all that it received."""
    with sinks.running() as sink:
        settings.SENTRY_DSN = f"http://public@127.0.0.1:{sink.port}/1"
        bugs.connect()

        def received() -> str:
            sentry_sdk.flush(60)
            assert {path for path, _ in sink.taken} == {"/api/1/envelope/"}
            return b"\n".join(body for _, body in sink.taken).decode()

        yield received
        sentry_sdk.init()  # nobody is told from now on
        sentry_sdk.get_isolation_scope().clear()


def fails(*_: object, **__: object) -> None:
    hidden = f"geheim{4 * 2} of a local variable"
    try:
        dict[str, str]()[PLANTED]
    except KeyError as error:
        raise RuntimeError(PLANTED, len(hidden)) from error


def event_of(received: str) -> Any:
    [event] = [
        found for line in received.splitlines() if "exception" in (found := orjson.loads(line))
    ]
    return event


def test_bug_of_a_request_is_told_with_its_user_and_no_secret(reports, monkeypatch):
    user = make_staff()
    client = APIClient(raise_request_exception=False)
    secret = make_key(user, scopes=["admin"]).secret
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {secret}", HTTP_COOKIE="sessionid=geheim9")
    monkeypatch.setattr(fetching, "submit", fails)
    logging.getLogger("proxies").warning("before it: %s", PLANTED, extra={"password": "geheim1"})

    url = "/api/proxies/fetch?token=geheim1"
    answer = client.post(url, {}, format="json", headers={"X-Request-ID": "one-two"})

    received = reports()
    event = event_of(received)
    assert answer.status_code == 500
    assert event["user"] == {"id": str(user.pk)}
    assert event["tags"]["request_id"] == "one-two"
    assert event["request"] == {"method": "POST", "url": "/api/proxies/fetch"}
    assert event["exception"]["values"][-1]["type"] == "RuntimeError"
    assert "hans" not in received
    assert [word for word in (*WORDS, "geheim8", "geheim9", secret) if word in received] == []
    assert "before it" in received


def test_bug_of_a_run_is_told_with_whoever_asked(reports):
    user = make_staff()
    run = fetching.submit([], by=Caller(user_id=user.pk, is_staff=True), now=NOW)

    working.execute(str(run.pk), fails, kind=run.kind)

    received = reports()
    event = event_of(received)
    assert event["user"] == {"id": str(user.pk)}
    assert event["tags"]["run_id"] == str(run.pk)
    assert event["tags"]["request_id"] == run.request_id
    assert [word for word in (*WORDS, "geheim8") if word in received] == []
