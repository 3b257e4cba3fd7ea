"""Bodies that are too large: refused in words, unread where they say their size."""

import asyncio
import json
from typing import Any

import pytest
from django.test import Client

from project.core import processes, uploads
from tests.factories import make_key, make_staff

MOST = 1000


class Sent:
    """The client's side of one ASGI connection: what it sends in parts, what it got."""

    def __init__(self, parts: list[bytes], headers: list[tuple[bytes, bytes]]) -> None:
        self.parts, self.taken, self.taken_when_answered = parts, 0, -1
        self.got: list[dict[str, Any]] = []
        self.scope = {"type": "http", "method": "POST", "path": "/api/x", "headers": headers}

    async def receive(self) -> dict[str, Any]:
        self.taken += 1
        more = self.taken < len(self.parts)
        return {"type": "http.request", "body": self.parts[self.taken - 1], "more_body": more}

    async def send(self, message: dict[str, Any]) -> None:
        if not self.got:
            self.taken_when_answered = self.taken
        self.got.append(message)


async def reader(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads all, then says how much it was."""
    whole = b""
    while True:
        message = await receive()
        whole += message["body"]
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(len(whole)).encode()})


@pytest.fixture(autouse=True)
def _most(settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = MOST


async def test_body_that_says_it_is_too_large_is_not_read():
    sent = Sent([b"x" * 2000], [(b"content-length", b"2000")])

    await uploads.Bounded(reader)(sent.scope, sent.receive, sent.send)

    body = json.loads(sent.got[1]["body"])
    assert sent.taken_when_answered == 0
    assert (sent.got[0]["status"], body["code"]) == (413, "too_large")
    assert body["detail"] == "the body may be at most 1,000 bytes here"


async def test_body_that_says_nothing_is_read_no_further_than_the_limit():
    sent = Sent([b"x" * 600] * 10, [(b"transfer-encoding", b"chunked")])

    await uploads.Bounded(reader)(sent.scope, sent.receive, sent.send)

    assert sent.taken_when_answered == 2
    assert sent.got[0]["status"] == 413


@pytest.mark.parametrize("kind", ["length", "chunked"])
async def test_rest_is_read_after_the_answer_and_dropped_then_the_connection_ends(kind):
    headers = {
        "length": (b"content-length", b"6000"),
        "chunked": (b"transfer-encoding", b"chunked"),
    }
    sent = Sent([b"x" * 600] * 10, [headers[kind]])

    await uploads.Bounded(reader)(sent.scope, sent.receive, sent.send)

    assert sent.taken == 10
    assert (b"connection", b"close") in sent.got[0]["headers"]
    assert [message["more_body"] for message in sent.got[1:]] == [True, False]


async def test_who_never_stops_sending_is_not_read_for_ever(monkeypatch):
    monkeypatch.setattr(uploads, "LINGER_BYTES", 1800)
    sent = Sent([b"x" * 600] * 10, [(b"content-length", b"6000")])

    await uploads.Bounded(reader)(sent.scope, sent.receive, sent.send)

    assert (sent.taken, sent.got[-1]["more_body"]) == (3, False)


async def test_who_falls_silent_or_has_gone_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(uploads, "_SILENCE_S", 0.01)
    silent = Sent([], [(b"content-length", b"6000")])
    gone = Sent([], [(b"content-length", b"6000")])

    async def never() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def ended() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    await uploads.Bounded(reader)(silent.scope, never, silent.send)
    await uploads.Bounded(reader)(gone.scope, ended, gone.send)

    assert [each.got[-1]["more_body"] for each in (silent, gone)] == [False, False]


async def test_body_of_the_limit_passes():
    sent = Sent([b"x" * 600, b"x" * 400], [(b"content-length", b"1000")])

    await uploads.Bounded(reader)(sent.scope, sent.receive, sent.send)

    assert (sent.got[0]["status"], sent.got[1]["body"]) == (200, b"1000")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/auth/login", "/api/proxies/import"])
def test_json_that_is_held_in_memory_has_a_limit_of_its_own(settings, path):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    client = Client(
        headers={"Authorization": f"Api-Key {make_key(make_staff(), scopes=['admin']).secret}"}
    )

    answer = client.post(path, json.dumps({"text": "x" * 200}), content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "100 bytes" in answer.json()["detail"]


@pytest.mark.django_db
def test_form_of_a_page_has_it_too(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    answer = Client().post("/sign-in", {"email": "x" * 200})

    assert answer.status_code == 413


@pytest.mark.django_db(transaction=True)
async def test_whole_product_refuses_it(monkeypatch):
    from project.asgi import application

    monkeypatch.setattr(processes, "begin", lambda _: None)

    sent = Sent([b"x" * 2000], [(b"content-length", b"2000")])

    await application(sent.scope | {"path": "/api/auth/login"}, sent.receive, sent.send)

    assert sent.got[0]["status"] == 413
