"""Each way in is closed in a maintenance: Django, streams, websockets."""

from typing import Any

import pytest
from django.test import AsyncClient
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.api import throttling
from accounts.api.throttling import LimitedStream
from project.core import closing, halting
from project.core.callers import SYSTEM, Caller
from tests.factories import make_key, make_staff, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _closed():
    halting.stop(closing.CLIENTS, why="", by=SYSTEM, now=timezone.now())


def test_a_program_gets_a_problem_that_says_when_to_come_back():
    client = APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(make_user()).secret}")

    answer = client.get("/api/runs")

    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["title"]) == (
        "maintenance",
        "Closed for maintenance",
    )


def test_staff_come_in_by_key_and_by_session(client):
    staff = make_staff()
    key = make_key(staff, scopes=["admin"]).secret
    client.force_login(staff)

    assert APIClient(HTTP_AUTHORIZATION=f"Api-Key {key}").get("/api/runs").status_code == 200
    assert client.get("/videos").status_code == 200
    assert APIClient().get("/api/health").status_code in {200, 503}
    assert APIClient().get("/api/health").json()["status"] != "maintenance"


def test_a_person_gets_a_page(client):
    answer = client.get("/videos", headers={"Accept": "text/html"})

    assert answer.status_code == 503
    assert "Closed for maintenance" in answer.content.decode()


async def test_the_event_loop_asks_in_a_thread_and_no_more_than_needed():
    answer = await AsyncClient().get("/api/runs")

    assert answer.status_code == 503
    closing.forget()
    assert not closing.is_surely_open(now=timezone.now())


async def open_stream(kind: str, caller: Caller) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "opened"})

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    path = "/ws/runs/1/" if kind == "websocket" else "/api/runs/1/stream"
    scope = {
        "type": kind,
        "path": path,
        "headers": [],
        "client": ("127.0.0.1", 1),
        "caller": caller,
    }
    await LimitedStream(app)(scope, None, send)
    return said


async def test_streams_and_websockets_are_closed_too():
    client, staff = Caller(user_id=7), Caller(user_id=1, is_staff=True)

    [refused] = await open_stream("websocket", client)
    start, _ = await open_stream("http", client)

    assert (refused["type"], refused["code"]) == ("websocket.close", throttling.COME_BACK)
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"60")
    for kind in ("http", "websocket"):
        assert await open_stream(kind, staff) == [{"type": "opened"}]
