import asyncio
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from project.asgi import websocket
from project.core import consumers, events, hub, live, sse
from project.core.choices import RunStatus
from project.core.hub import in_thread
from project.core.models import Run
from tests.factories import make_event, make_key, make_run, make_staff, make_user

pytestmark = pytest.mark.django_db(transaction=True)
HOST = (b"host", b"millrace.example")


@pytest.fixture(autouse=True)
async def _at_rest(monkeypatch):
    monkeypatch.setattr(hub, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(live, "LOOK_EVERY_S", 0.01)
    yield
    for watcher in (hub.here()._watcher, live.here()._watcher):
        if watcher is not None:
            await asyncio.wait_for(watcher, 10)
    assert hub.here().subscribers == 0


class Socket(WebsocketCommunicator):
    """A websocket; Channels' own would keep threads from giving their connections back."""

    async def send_input(self, message: Any) -> None:
        await ApplicationCommunicator.send_input(self, message)

    async def receive_output(self, timeout: float = 1) -> Any:  # noqa: ASYNC109 -- as its base
        return await ApplicationCommunicator.receive_output(self, timeout)


def socket(path: str, *headers: tuple[bytes, bytes]) -> Socket:
    return Socket(websocket, path, headers=[HOST, *headers])


def with_key(user: Any, **fields: Any) -> tuple[bytes, bytes]:
    return b"authorization", f"Api-Key {make_key(user, **fields).secret}".encode()


def with_cookie(user: Any) -> tuple[bytes, bytes]:
    browser = Client()
    browser.force_login(user)
    return b"cookie", f"sessionid={browser.cookies['sessionid'].value}".encode()


def end(run: Run) -> None:
    run.refresh_from_db()
    now = timezone.now()
    events.record(run, where={}, changes={"status": RunStatus.DONE, "ended_at": now}, now=now)


async def close_code(path: str, *headers: tuple[bytes, bytes]) -> Any:
    """Return the code with which the handshake is refused."""
    connected, code = await socket(path, *headers).connect(timeout=10)
    assert not connected
    return code


@pytest.fixture
def mine(user) -> Run:
    run = make_run(requested_by=user)
    make_event(run)
    return run


@pytest.mark.parametrize(("query", "numbers"), [("", [1, 2, 3]), ("?since=1", [2, 3])])
async def test_run_socket_gives_what_came_since_and_closes_after_the_end(
    query, numbers, user, mine
):
    client = socket(f"/ws/runs/{mine.pk}/{query}", await in_thread(with_key, user))
    assert (await client.connect(timeout=10))[0]
    await in_thread(end, mine)

    found = [await client.receive_json_from(timeout=10) for _ in numbers]

    assert [message["id"] for message in found] == numbers
    assert set(found[0]) == {"id", "event", "data"}
    assert (found[-1]["event"], found[-1]["data"]["status"]) == ("completed", "done")
    assert (await client.receive_output(timeout=10))["type"] == "websocket.close"
    await client.disconnect()


async def test_run_socket_tells_news(user, mine):
    client = socket(f"/ws/runs/{mine.pk}/?since=2", await in_thread(with_key, user))
    await client.connect(timeout=10)

    await in_thread(lambda: make_event(mine, event="note", data={"n": 1}))

    found = await client.receive_json_from(timeout=10)
    assert found == {"id": 3, "event": "note", "data": {"n": 1}}
    await client.disconnect()


async def test_run_socket_beats_without_id(user, mine, monkeypatch):
    monkeypatch.setattr(sse, "HEARTBEAT_S", 0.02)
    client = socket(f"/ws/runs/{mine.pk}/?since=2", await in_thread(with_key, user))
    await client.connect(timeout=10)

    beat = await client.receive_json_from(timeout=10)

    assert (beat["id"], beat["event"], beat["data"]["status"]) == (None, "heartbeat", "queued")
    await client.disconnect()


async def test_run_socket_refuses_strangers_nobody_and_bad_positions(user, mine):
    stranger = await in_thread(lambda: with_key(make_user()))
    own = await in_thread(with_key, user)
    path = f"/ws/runs/{mine.pk}/"

    assert await close_code(path, stranger) == consumers.NOT_FOUND
    assert await close_code(path) == consumers.NOT_ALLOWED
    assert await close_code(path, (b"authorization", b"Api-Key no")) == consumers.NOT_ALLOWED
    for since in ("x", "-1", "3", "9" * 40, "%D9%A3"):
        assert await close_code(f"{path}?since={since}", own) == consumers.BAD_POSITION


@pytest.mark.parametrize(
    ("origin", "is_let_in"),
    [
        (None, True),  # a program
        (b"https://millrace.example", True),
        (b"https://trusted.example", True),
        (b"https://evil.example", False),
        (b"https://millrace.example.evil.example", False),
        (b"null", False),
    ],
)
async def test_cookie_counts_only_for_pages_of_our_own(origin, is_let_in, user, mine, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example"]
    headers = [await in_thread(with_cookie, user)]
    headers += [(b"origin", origin)] if origin else []
    client = socket(f"/ws/runs/{mine.pk}/", *headers)

    connected, code = await client.connect(timeout=10)

    assert (connected, code) == ((True, None) if is_let_in else (False, consumers.NOT_ALLOWED))
    await client.disconnect()


async def test_key_counts_from_any_origin(user, mine):
    headers = [await in_thread(with_key, user), (b"origin", b"https://evil.example")]
    client = socket(f"/ws/runs/{mine.pk}/", *headers)

    assert (await client.connect(timeout=10))[0]
    await client.disconnect()


async def test_socket_that_leaves_at_once_is_forgotten(user, mine):
    client = socket(f"/ws/runs/{mine.pk}/", await in_thread(with_key, user))
    await client.send_input({"type": "websocket.connect"})

    await client.send_input({"type": "websocket.disconnect", "code": 1001})

    await client.wait(timeout=10)
    assert hub.here().subscribers == 0


async def test_socket_does_not_stay_open_and_silent_when_reading_fails(user, mine, monkeypatch):
    client = socket(f"/ws/runs/{mine.pk}/?since=2", await in_thread(with_key, user))
    await client.connect(timeout=10)

    async def fail(self: Any) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(hub.Subscription, "_unread", fail)
    await in_thread(make_event, mine)

    closed = await client.receive_output(timeout=10)
    assert (closed["type"], closed["code"]) == ("websocket.close", consumers.BROKEN)
    await client.disconnect()


async def test_live_socket_shows_staff_a_snapshot_then_every_change(mine):
    staff = await in_thread(make_staff)
    client = socket("/ws/live/", await in_thread(with_cookie, staff))
    assert (await client.connect(timeout=10))[0]

    snapshot = await client.receive_json_from(timeout=10)
    await in_thread(
        lambda: events.record(
            mine, where={}, changes={"phase": "fetching", "progress": 12.34}, now=timezone.now()
        )
    )
    change = await client.receive_json_from(timeout=10)
    while change["event"] != "run":
        change = await client.receive_json_from(timeout=10)

    assert snapshot["event"] == "snapshot"
    assert set(snapshot["data"]) == {"runs", "issues", "figures"}
    (before,) = snapshot["data"]["runs"]
    assert (before["id"], before["status"], before["phase"]) == (str(mine.pk), "queued", "")
    assert change["data"] == {**before, "phase": "fetching", "progress": 12.3}
    await client.disconnect()


async def test_live_socket_is_for_staff_alone(user):
    staff = await in_thread(make_staff)
    plain_key = await in_thread(with_key, staff)
    admin_key = await in_thread(lambda: with_key(staff, scopes=["admin"]))

    assert await close_code("/ws/live/") == consumers.NOT_ALLOWED
    assert await close_code("/ws/live/", await in_thread(with_key, user)) == consumers.NOT_ALLOWED
    assert await close_code("/ws/live/", plain_key) == consumers.NOT_ALLOWED
    client = socket("/ws/live/", admin_key)
    assert (await client.connect(timeout=10))[0]
    await client.disconnect()
