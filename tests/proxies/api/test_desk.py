"""The desk before Django: it answers as Django's views do, and hands on what isn't plain."""

import asyncio
import json
import uuid
from typing import Any

import pytest
from django.core.asgi import get_asgi_application
from django.utils import timezone
from prometheus_client import REGISTRY

from accounts import limiting, noting
from accounts.models import ApiKey, KeptAnswer
from project import asgi
from project.core import closing, halting, tallies
from project.core.callers import SYSTEM
from proxies import lending
from proxies.models import Lease, LeaseSlot
from tests.factories import make_key, make_plan, make_staff, make_subscription, make_user
from tests.proxies.factories import make_proxy

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/proxies/leases"


class Answer:
    """What an ASGI application said."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.status = messages[0]["status"]
        self.headers = {
            name.decode().lower(): value.decode() for name, value in messages[0]["headers"]
        }
        self.text = b"".join(message.get("body", b"") for message in messages[1:])

    def json(self) -> Any:
        return json.loads(self.text)


def ask(app: Any, path: str, body: Any, *, secret: str = "", **more: str) -> Answer:
    """Post to an ASGI application; ``more`` are headers."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"host": "testserver", "content-type": "application/json", **more}
    if secret:
        headers["authorization"] = f"Api-Key {secret}"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "headers": [
            (name.replace("_", "-").encode(), value.encode("latin-1"))
            for name, value in {**headers, "content-length": str(len(text))}.items()
        ],
    }
    # in two parts: bodies come as they please
    parts = [
        {"type": "http.request", "body": text[:5], "more_body": True},
        {"type": "http.request", "body": text[5:], "more_body": False},
    ]
    said: list[dict[str, Any]] = []

    async def talk() -> None:
        forever = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if parts:
                return parts.pop(0)
            await forever.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        await app(scope, receive, send)

    asyncio.run(talk())
    return Answer(said)


@pytest.fixture
def desk():
    """The product's own application, beginning with the desk."""
    return asgi.desks


@pytest.fixture
def django():
    """Django's handler alone: what the desk must not differ from."""
    return get_asgi_application()


@pytest.fixture
def by_django(monkeypatch):
    """Fail where a request that the desk should serve goes on to Django."""
    seen = []
    real = asgi.django_application

    async def noted(scope, receive, send):
        seen.append(scope["path"])
        await real(scope, receive, send)

    monkeypatch.setattr(asgi.desks, "otherwise", noted)
    return seen


@pytest.fixture
def secret():
    return make_key(make_staff(), scopes=["admin"]).secret


def test_a_program_borrows_keeps_and_returns_before_django(desk, by_django, secret):
    proxy = make_proxy(username="hans", password="geheim")

    lent = ask(desk, URL, {"target": "api.binance.com"}, secret=secret)
    lease = lent.json()
    kept = ask(desk, f"{URL}/{lease['id']}/renew", {"token": lease["token"]}, secret=secret)
    told = {"token": lease["token"], "outcome": "ok", "latency_ms": 5, "bytes": 7}
    given = ask(desk, f"{URL}/{lease['id']}/release", told, secret=secret)

    assert [one.status for one in (lent, kept, given)] == [201, 200, 200]
    assert lease["proxy_url"] == f"http://hans:geheim@{proxy.host}:8080"
    assert lease["expires_at"].endswith("Z")
    assert given.json()["late"] is False
    assert Lease.objects.get().size_bytes == 7
    assert not LeaseSlot.objects.exclude(token=None).exists()
    assert by_django == []


def http_counts() -> dict[Any, float]:
    """Return what django-prometheus counts of requests: of times and sizes how many there were."""
    tallies.count()
    others = ("_created", "_bucket", "_sum", "_templatename_total")
    return {
        (one.name, tuple(one.labels.items())): one.value
        for family in REGISTRY.collect()
        for one in family.samples
        if one.name.startswith("django_http_") and not one.name.endswith(others)
    }


def test_requests_are_counted_as_those_of_django(desk, django, secret):
    make_proxy()
    seen = []

    for app in (desk, django):
        before = http_counts()
        lease = ask(app, URL, {}, secret=secret).json()
        told = {"token": lease["token"], "outcome": "ok", "bytes": 10**6}
        ask(app, f"{URL}/{lease['id']}/release", told, secret=secret)
        ask(app, f"{URL}/{lease['id']}/renew", {"token": lease["token"]}, secret=secret)
        after = http_counts()
        moved = {key: value - before.get(key, 0.0) for key, value in after.items()}
        seen.append({key: value for key, value in moved.items() if value})

    assert len(seen[0]) > 15
    assert seen[0] == seen[1]


def test_answers_carry_the_headers_of_djangos(desk, django, secret):
    for _ in range(2):
        make_proxy()
    found, wanted = (ask(app, URL, {}, secret=secret) for app in (desk, django))

    assert found.headers.keys() >= wanted.headers.keys() - {"vary", "allow"}
    same = [name for name in wanted.headers if name not in {"vary", "allow", "content-length"}]
    assert {name: found.headers[name] for name in same} == {
        name: wanted.headers[name] for name in same
    }


BAD: list[tuple[str, Any]] = [
    ("", {"colour": "red", "size": 1}),
    ("", {"ttl": 0}),
    ("", {"ttl": "long"}),
    ("", {"ttl": 1e9}),
    ("", {"pool": "lukewarm"}),
    ("", {"target": "not a host"}),
    ("", {"target": "x" * 300}),
    ("", {"request_id": "x" * 101}),
    ("", {"session": "\x00"}),
    ("", {"min_score": 101}),
    ("", {"country": "Germany"}),
    ("", []),
    ("", "text"),
    ("", {}),
    ("/999999/release", {"token": str(uuid.uuid4()), "outcome": "ok"}),
    ("/999999/release", {"token": "no", "outcome": "ok"}),
    ("/999999/release", {"token": str(uuid.uuid4()), "outcome": "fine"}),
    ("/999999/renew", {"token": str(uuid.uuid4())}),
    ("/999999/renew", {}),
    ("/99999999999999999999/renew", {"token": str(uuid.uuid4())}),
    ("", b"{"),
    ("", b""),
    ("", b"null"),
    ("", b'{"target": "\xff"}'),
    ("", b'{"target": "\\ud800"}'),
    ("", b'{"min_score": NaN}'),
    ("", b"[" * 5000),
]


@pytest.mark.parametrize(("path", "body"), BAD)
def test_what_is_refused_is_refused_as_by_django(desk, django, secret, path, body):
    found, wanted = (ask(app, URL + path, body, secret=secret) for app in (desk, django))

    assert 400 <= wanted.status < 600
    assert wanted.status != 500
    assert found.status == wanted.status
    same = {**found.json(), "request_id": wanted.json()["request_id"]}
    assert same == wanted.json()
    assert found.headers["content-type"] == wanted.headers["content-type"]
    assert found.headers.get("retry-after") == wanted.headers.get("retry-after")


@pytest.mark.parametrize("kind", ["none", "wrong", "revoked", "reader", "other scope"])
def test_who_may_not_is_told_so_as_by_django(desk, django, kind):
    made = make_key(make_user(), scopes={"reader": ["proxies:read"]}.get(kind, ["markets:write"]))
    if kind == "revoked":
        ApiKey.objects.update(revoked_at=timezone.now())
    shown = {"none": "", "wrong": "mr_wrong"}.get(kind, made.secret)
    make_proxy()

    found, wanted = (ask(app, URL, {}, secret=shown) for app in (desk, django))

    assert found.status == wanted.status == (403 if kind in {"reader", "other scope"} else 401)
    assert {**found.json(), "request_id": ""} == {**wanted.json(), "request_id": ""}
    assert found.headers.get("www-authenticate") == wanted.headers.get("www-authenticate")
    assert not Lease.objects.exists()


@pytest.mark.parametrize(
    "more",
    [
        {"idempotency_key": "once"},
        {"origin": "https://elsewhere.example"},
        {"accept": "text/html"},
        {"content_type": "text/plain"},
    ],
)
def test_what_is_not_plain_goes_on_to_django(desk, by_django, secret, more):
    make_proxy()

    answer = ask(desk, URL, {}, secret=secret, **more)

    assert by_django == [URL]
    assert answer.status in {201, 406, 415}


def test_an_idempotency_key_holds_here_too(desk, secret):
    make_proxy()

    first, again = (ask(desk, URL, {}, secret=secret, idempotency_key="once") for _ in range(2))

    assert (first.status, again.status) == (201, 201)
    assert first.json() == again.json()
    assert KeptAnswer.objects.count() == Lease.objects.count() == 1


def test_rates_are_counted_with_those_of_django(desk, django, settings):
    settings.RATE_LIMIT_ENABLED = True
    limiting.forget()
    secret = make_key(make_subscription(plan=make_plan(api_per_minute=3)).user).secret

    found = [ask(app, URL, {}, secret=secret) for app in (desk, django, desk, desk)]

    assert [one.status for one in found] == [503, 503, 503, 429]
    assert found[0].headers["x-ratelimit-remaining"] == "2"
    assert found[2].headers["x-ratelimit-remaining"] == "0"
    assert found[3].json()["code"] == "rate_limited"
    assert int(found[3].headers["retry-after"]) >= 1


def test_more_leases_than_the_plan_allows_are_a_conflict(desk):
    make_plan(is_default=True, leases_at_once=2)
    secret = make_key(make_user()).secret
    for _ in range(3):
        make_proxy()

    found = [ask(desk, URL, {}, secret=secret) for _ in range(3)]

    assert [one.status for one in found] == [201, 201, 409]
    assert found[2].json()["code"] == "quota_exceeded"
    lease = found[0].json()
    told = {"token": lease["token"], "outcome": "ok"}
    ask(desk, f"{URL}/{lease['id']}/release", told, secret=secret)
    assert ask(desk, URL, {}, secret=secret).status == 201


def test_a_request_that_gets_the_same_lease_again_is_no_conflict(desk):
    make_plan(is_default=True, leases_at_once=1)
    secret = make_key(make_user()).secret
    make_proxy()

    found = [ask(desk, URL, {"request_id": "r"}, secret=secret) for _ in range(2)]

    assert [one.status for one in found] == [201, 200]


def test_nothing_free_says_when_to_come_back(desk, by_django, secret):
    answer = ask(desk, URL, {}, secret=secret)

    assert (answer.status, answer.json()["code"]) == (503, "no_proxy_available")
    assert int(answer.headers["retry-after"]) >= 1
    assert by_django == []


def test_a_bug_is_answered_as_such_and_logged(desk, secret, monkeypatch, caplog):
    def broken(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(lending, "acquire", broken)

    answer = ask(desk, URL, {}, secret=secret)

    assert (answer.status, answer.json()["code"]) == (500, "internal_error")
    assert "ZeroDivisionError" in caplog.text


def test_the_last_use_of_a_key_is_noted(desk, secret):
    ask(desk, URL, {}, secret=secret, user_agent="collector/1")
    noting.flush()

    key = ApiKey.objects.get()
    assert (key.last_agent, key.last_address) == ("collector/1", "127.0.0.1")


def test_in_a_maintenance_clients_come_back_later_and_staff_go_on(desk, by_django, secret):
    make_proxy()
    client = make_key(make_user(), scopes=["proxies:write"]).secret
    halting.stop(closing.CLIENTS, why="", by=SYSTEM, now=timezone.now())

    told = ask(desk, URL, {}, secret=client)
    own = ask(desk, URL, {}, secret=secret)

    assert (told.status, told.json()["code"], told.headers["retry-after"]) == (
        503,
        "maintenance",
        "60",
    )
    assert own.status == 201
    assert by_django == []
