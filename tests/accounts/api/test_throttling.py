import asyncio
import re
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.test import AsyncClient, Client
from rest_framework.test import APIClient

from accounts.api import throttling
from accounts.api.asgi import CallerMiddleware
from accounts.api.throttling import LimitedStream
from accounts.models import Plan
from project.asgi import http
from tests.factories import make_key, make_staff, make_subscription, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("limits_on")]


def statuses(client: Any, path: str, count: int, **facts: Any) -> list[int]:
    return [client.get(path, **facts).status_code for _ in range(count)]


def test_api_lets_sixty_requests_a_minute_through():
    assert statuses(APIClient(), "/api/runs", 65) == [401] * 60 + [429] * 5


def test_refusal_is_a_problem_that_says_when_to_come_back():
    client = APIClient()
    statuses(client, "/api/runs", 60)

    answer = client.get("/api/runs")

    body = answer.json()
    wait = int(answer["Retry-After"])
    assert answer.status_code == 429
    assert answer["Content-Type"] == "application/problem+json"
    assert 55 <= wait <= 60
    assert {name: answer[name] for name in answer.headers if name.startswith("X-Rate")} == {
        "X-RateLimit-Limit": "60",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(wait),
    }
    assert (body["code"], body["title"], body["status"]) == (
        "rate_limited",
        "Too many requests",
        429,
    )
    assert (body["rule"], body["limit"], body["reset_seconds"]) == ("api", 60, wait)
    assert body["request_id"] == answer["X-Request-ID"] if "X-Request-ID" in answer else True


def test_answer_within_the_limit_says_what_is_left(user):
    client = APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(user).secret}")

    first, second = client.get("/api/runs"), client.get("/api/runs")

    assert (first.status_code, first["X-RateLimit-Remaining"]) == (200, "59")
    assert (second["X-RateLimit-Limit"], second["X-RateLimit-Remaining"]) == ("60", "58")
    assert "Retry-After" not in second


def test_person_gets_a_page(client):
    statuses(client, "/", 100)

    answer = client.get("/", headers={"Accept": "text/html"})

    assert answer.status_code == 429
    assert "Too many requests" in answer.content.decode()


def test_key_is_looked_up_once_for_limit_and_view(user, django_assert_num_queries):
    client = APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(user).secret}")
    client.get("/api/runs")

    known = 0 if settings.REDIS_URL else 1  # the key with user and plan
    with django_assert_num_queries(known + 1):  # the runs
        client.get("/api/runs")


def test_callers_behind_one_address_have_windows_of_their_own(user):
    key = APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(user).secret}")
    browser = Client()
    browser.force_login(user)

    assert statuses(key, "/api/runs", 61) == [200] * 60 + [429]
    assert statuses(browser, "/api/runs", 61) == [200] * 60 + [429]
    assert statuses(APIClient(), "/api/runs", 61) == [401] * 60 + [429]


def test_wrong_keys_are_counted_by_address():
    client = APIClient()
    found = [
        client.get("/api/runs", headers={"Authorization": f"Api-Key mr_{n}"}).status_code
        for n in range(61)
    ]

    assert found == [401] * 60 + [429]


def test_staff_and_service_are_not_limited():
    staff = Client()
    staff.force_login(make_staff())
    service = make_subscription(plan=Plan.objects.get(name="service")).user
    program = APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(service).secret}")

    assert statuses(staff, "/api/runs", 70) == [200] * 70
    assert statuses(program, "/api/runs", 70) == [200] * 70


def test_forwarded_address_counts_behind_a_trusted_proxy_alone(settings):
    client = APIClient()
    for number in range(60):
        client.get("/api/runs", headers={"X-Forwarded-For": f"198.51.100.{number}"})
    assert client.get("/api/runs").status_code == 429

    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]

    answer = client.get("/api/runs", headers={"X-Forwarded-For": "198.51.100.7"})
    assert (answer.status_code, answer["X-RateLimit-Remaining"]) == (401, "59")


def test_health_and_metrics_are_never_limited(client, monkeypatch):
    from project.core import health

    monkeypatch.setattr(health, "summary", lambda **_: {"status": "healthy"})

    for path in ("/api/health", "/health/live"):
        assert statuses(client, path, 105) == [200] * 105
    assert "X-RateLimit-Limit" not in client.get("/metrics")


async def test_two_hundred_at_once_let_exactly_the_quota_through():
    client = AsyncClient()

    answers = await asyncio.gather(*[client.get("/api/runs") for _ in range(200)])

    await sync_to_async(connections.close_all)()  # of the thread that answered
    found = [answer.status_code for answer in answers]
    assert (found.count(401), found.count(429)) == (60, 140)


async def ask(app: Any, path: str, *headers: tuple[bytes, bytes], **facts: Any) -> list[Any]:
    """Return what an ASGI application answers."""
    sent: list[Any] = []
    scope = {"type": "http", "method": "GET", "path": path, "headers": list(headers),
             "query_string": b"", "client": ("203.0.113.9", 1), **facts}  # fmt: skip

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def test_streams_are_opened_five_times_a_minute():
    path = "/api/runs/5f8b0b8e-0000-4000-8000-000000000000/stream"

    found = [(await ask(http, path))[0] for _ in range(8)]
    again = (await ask(http, path, (b"last-event-id", b"3")))[0]

    assert [start["status"] for start in found] == [401] * 5 + [429] * 3
    headers = dict(found[-1]["headers"])
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"x-ratelimit-limit"] == b"5"
    assert headers[b"retry-after"] == headers[b"x-ratelimit-reset"]
    assert dict(found[0]["headers"])[b"x-ratelimit-remaining"] == b"4"
    assert again["status"] == 401


async def test_websocket_beyond_the_limit_is_closed():
    async def accept(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    app = CallerMiddleware(LimitedStream(accept))
    facts = {"type": "websocket", "path": "/ws/runs/1/"}

    found = [(await ask(app, **facts))[0] for _ in range(6)]
    again = await ask(app, **facts, query_string=b"since=12")
    fresh = await ask(app, **facts, query_string=b"since=0")

    assert [message["type"] for message in found] == ["websocket.accept"] * 5 + ["websocket.close"]
    assert found[-1]["code"] == throttling.TOO_MANY
    assert (again[0]["type"], fresh[0]["type"]) == ("websocket.accept", "websocket.close")


def test_page_of_a_rule_shows_whom_it_would_hit(admin_client):
    from tests.factories import make_rate_limit_rule

    make_user(email="ann@example.com")
    row = make_rate_limit_rule(name="api", paths=["/api/**"], amount=2)
    statuses(APIClient(REMOTE_ADDR="203.0.113.9"), "/api/runs", 4)

    page = admin_client.get(f"/admin/accounts/ratelimitrule/{row.pk}/change/").content.decode()

    assert re.search(r"address:203\.0\.113\.9.*4 requests.*2", page, re.DOTALL)


def test_saved_rule_holds_at_once(admin_client):
    fields = {"name": "api", "paths": '["/api/**"]', "methods": "[]", "amount": 1, "per_s": 60,
              "by": "caller", "raised_by": "", "is_on": "on"}  # fmt: skip
    statuses(APIClient(), "/api/runs", 1)

    admin_client.post("/admin/accounts/ratelimitrule/add/", fields)

    assert statuses(APIClient(), "/api/runs", 1) == [429]
    admin_client.post("/admin/accounts/ratelimitswitch/1/change/", {})
    assert statuses(APIClient(), "/api/runs", 1) == [401]


@pytest.mark.parametrize(
    ("field", "value"),
    [("paths", '["api"]'), ("paths", "[]"), ("paths", '"/api"'), ("methods", '["FETCH"]')],
)
def test_nonsense_is_a_word_at_the_form(field, value, admin_client):
    fields = {"name": "x", "paths": '["/x"]', "methods": "[]", "amount": 1, "per_s": 60,
              "by": "caller", field: value}  # fmt: skip

    answer = admin_client.post("/admin/accounts/ratelimitrule/add/", fields)

    assert field in answer.context["adminform"].form.errors
