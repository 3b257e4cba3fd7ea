import asyncio
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.utils import timezone

from accounts import keys
from project.asgi import http
from project.core import events, hub, sse
from project.core.choices import RunStatus
from project.core.hub import in_thread
from project.core.models import Run
from tests.factories import make_event, make_key, make_run, make_user
from tests.project.servers import KINDS, Server, Stream, open_files

pytestmark = pytest.mark.django_db(transaction=True)


def end(run: Run, status: str = RunStatus.DONE) -> None:
    run.refresh_from_db()
    now = timezone.now()
    events.record(run, where={}, changes={"status": status, "ended_at": now}, now=now)


@pytest.fixture(scope="module", params=KINDS)
def server(request, django_db_setup, django_db_blocker) -> Iterator[Server]:
    """A web process that serves the whole module."""
    with django_db_blocker.unblock():
        found = Server(request.param)
        found.start()
        yield found
        found.stop()


@pytest.fixture
def key(user) -> keys.NewKey:
    return make_key(user)


@pytest.fixture
def mine(user) -> Run:
    return make_run(requested_by=user, now=timezone.now())


def open_stream(port: int, run: Run, key: keys.NewKey, **headers: str) -> Stream:
    path = f"/api/runs/{run.pk}/stream"
    return Stream(port, path, Authorization=f"Api-Key {key.secret}", **headers)


def test_stream_gives_history_news_and_the_end_then_closes(server, mine, key):
    make_event(mine)

    with open_stream(server.port, mine, key) as stream:
        found = stream.take(2)
        make_event(mine, event="partial_locations", data={"found": 2})
        found += stream.take(1)
        end(mine)
        found += stream.rest()

    headers = {name.lower(): value for name, value in stream.answer.getheaders()}
    assert stream.answer.status == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-cache", "no")
    assert len(headers["x-request-id"]) == 32
    assert [(event.id, event.event) for event in found] == [
        ("1", "run_update"),
        ("2", "run_update"),
        ("3", "partial_locations"),
        ("4", "completed"),
    ]
    assert json.loads(found[2].data) == {"found": 2}
    assert json.loads(found[3].data)["status"] == "done"


@pytest.mark.parametrize(("status", "name"), [("failed", "error"), ("canceled", "canceled")])
def test_stream_ends_with_the_event_of_its_status(status, name, server, mine, key):
    with open_stream(server.port, mine, key) as stream:
        stream.take(1)
        end(mine, status)
        assert [event.event for event in stream.rest()] == [name]


def test_reconnect_after_the_final_event_is_told_not_to_come_back(server, mine, key):
    end(mine)

    with open_stream(server.port, mine, key, Last_Event_ID="2") as stream:
        assert (stream.answer.status, stream.answer.read()) == (204, b"")
    with open_stream(server.port, mine, key, Last_Event_ID="1") as stream:
        assert [event.id for event in stream.rest()] == ["2"]
    with open_stream(server.port, mine, key) as stream:  # a first look at an ended run shows it all
        assert [event.id for event in stream.rest()] == ["1", "2"]


@pytest.mark.parametrize("last", ["x", "-1", "3", "1.5", "9" * 30, "1-2", "٣"])
def test_bad_cursor_is_a_problem(last, server, mine, key):
    last = last.encode().decode("latin-1")
    with open_stream(server.port, mine, key, Last_Event_ID=last) as stream:
        problem = json.loads(stream.answer.read())

    assert stream.answer.status == 422
    assert stream.answer.getheader("content-type") == "application/problem+json"
    assert (problem["code"], problem["status"]) == ("bad_cursor", 422)
    assert problem["instance"] == f"/api/runs/{mine.pk}/stream"
    assert problem["request_id"] == stream.answer.getheader("x-request-id")


def test_stranger_and_nobody_are_refused(server, mine, key):
    with open_stream(server.port, mine, make_key(make_user())) as stream:
        assert (stream.answer.status, json.loads(stream.answer.read())["code"]) == (
            404,
            "not_found",
        )
    with open_stream(server.port, make_run(), key) as stream:
        assert stream.answer.status == 404
    with Stream(server.port, f"/api/runs/{mine.pk}/stream") as stream:
        assert stream.answer.getheader("www-authenticate") == "Api-Key"
        assert (stream.answer.status, json.loads(stream.answer.read())["code"]) == (
            401,
            "not_authenticated",
        )
    with Stream(server.port, f"/api/runs/{mine.pk}/stream", Authorization="Api-Key no") as stream:
        assert stream.answer.status == 401


def test_cookie_opens_a_stream_too(server, mine, user):
    browser = Client()
    browser.force_login(user)
    cookie = f"sessionid={browser.cookies['sessionid'].value}"

    with Stream(server.port, f"/api/runs/{mine.pk}/stream", Cookie=cookie) as stream:
        assert [event.id for event in stream.take(1)] == ["1"]


def test_several_runs_over_one_stream_resume_by_cursor(server, user, key):
    runs = sorted([make_run(requested_by=user) for _ in range(2)], key=lambda run: run.pk)
    first, second = runs
    make_event(second)
    path = f"/api/runs/stream?ids={second.pk},{first.pk}"
    show = {"Authorization": f"Api-Key {key.secret}"}

    with Stream(server.port, path, **show) as stream:
        seen = stream.take(3)
    end(first)
    make_event(second)
    with Stream(server.port, path, **show, Last_Event_ID=seen[-1].id) as stream:
        seen += stream.take(2)
        end(second)
        seen += stream.rest()
    with Stream(server.port, path, **show, Last_Event_ID=seen[-1].id) as stream:
        assert stream.answer.status == 204

    told = [(json.loads(event.data)["run_id"], event.event) for event in seen]
    assert sorted(told) == sorted(
        [(str(first.pk), name) for name in ("run_update", "completed")]
        + [
            (str(second.pk), name)
            for name in ("run_update", "run_update", "run_update", "completed")
        ]
    )
    assert (len({event.id for event in seen}), seen[-1].id) == (6, "2-4")


@pytest.mark.parametrize("ids", ["", "x", ",".join(str(uuid.UUID(int=n)) for n in range(101))])
def test_several_runs_must_be_named(ids, server, key):
    show = {"Authorization": f"Api-Key {key.secret}"}
    with Stream(server.port, f"/api/runs/stream?ids={ids}", **show) as stream:
        assert (stream.answer.status, json.loads(stream.answer.read())["code"]) == (
            422,
            "bad_run_ids",
        )


def test_cursor_of_other_runs_is_refused(server, mine, key):
    show = {"Authorization": f"Api-Key {key.secret}", "Last_Event_ID": "1-1"}
    with Stream(server.port, f"/api/runs/stream?ids={mine.pk}", **show) as stream:
        assert (stream.answer.status, json.loads(stream.answer.read())["code"]) == (
            422,
            "bad_cursor",
        )


def test_waiting_streams_hold_no_connection(server, user, key):
    runs = [make_run(requested_by=user) for _ in range(30)]
    streams = [open_stream(server.port, run, key) for run in runs]
    try:
        for stream in streams:
            stream.take(1)

        if connection.vendor == "sqlite":
            assert open_files(server.pid, str(connection.settings_dict["NAME"])) <= 20
        show = {"Authorization": f"Api-Key {key.secret}"}
        with Stream(server.port, "/api/runs?limit=50", **show) as listing:
            assert len(json.loads(listing.answer.read())["results"]) == 30
        for run in runs:
            make_event(run)
        for stream in streams:
            assert [event.id for event in stream.take(1)] == ["2"]
    finally:
        for stream in streams:
            stream.__exit__()


def test_every_event_comes_once_through_a_restart_of_the_server(server, mine, key):
    with open_stream(server.port, mine, key) as stream:
        make_event(mine)
        seen = [event.id for event in stream.take(2)]
        make_event(mine)  # on its way while the server is killed
        server.stop()
    make_event(mine)
    server.start()
    with open_stream(server.port, mine, key, Last_Event_ID=seen[-1]) as stream:
        make_event(mine)
        end(mine)
        seen += [event.id for event in stream.rest()]

    assert seen == ["1", "2", "3", "4", "5", "6"]


class Program:
    """Talks to the ASGI application without a server."""

    def __init__(self, path: str, *, method: str = "GET", **headers: str) -> None:
        named = [(k.replace("_", "-").lower().encode(), v.encode()) for k, v in headers.items()]
        self.scope: Any = {"type": "http", "method": method, "path": path, "headers": named}
        self.scope |= {"query_string": b"", "root_path": ""}
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def __aenter__(self) -> "Program":
        self.task = asyncio.create_task(http(self.scope, self.receive, self.sent.put))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.left.set()
        await asyncio.wait_for(self.task, 10)

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.sent.get(), 10)


@pytest.fixture
async def _hub_at_rest():
    yield
    watcher = hub.here()._watcher
    if watcher is not None:
        await asyncio.wait_for(watcher, 10)


@pytest.mark.usefixtures("_hub_at_rest")
async def test_heartbeats_have_no_id(mine, key, monkeypatch):
    monkeypatch.setattr(sse, "HEARTBEAT_S", 0.02)
    show = {"Authorization": f"Api-Key {key.secret}", "Last_Event_ID": "1"}

    async with Program(f"/api/runs/{mine.pk}/stream", **show) as client:
        start, retry, first, second = [await client.next() for _ in range(4)]

    assert start["status"] == 200
    assert retry["body"] == b"retry: 3000\n\n"
    for beat in (first, second):
        name, data = beat["body"].decode().rstrip("\n").split("\n")
        told = json.loads(data.removeprefix("data: "))
        assert name == "event: heartbeat"
        assert {**told, "ts": ""} == {"run_id": str(mine.pk), "status": "queued", "ts": ""}
    assert sse.HEARTBEAT_S == 0.02


def test_heartbeat_comes_every_five_seconds():
    assert sse.HEARTBEAT_S == 5.0


@pytest.mark.usefixtures("_hub_at_rest")
@pytest.mark.parametrize("by", ["key", "cookie"])
async def test_opening_a_stream_costs_at_most_three_queries(by, user, mine, key, monkeypatch):
    queries: list[str] = []
    execute = CursorWrapper.execute

    def counted(self: Any, sql: str, params: Any = None) -> Any:
        queries.append(sql)
        return execute(self, sql, params)

    browser = Client()
    await in_thread(browser.force_login, user)
    shown = {
        "key": {"Authorization": f"Api-Key {key.secret}"},
        "cookie": {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"},
    }
    monkeypatch.setattr(hub, "LOOK_EVERY_S", 60)
    monkeypatch.setattr(hub, "_news", lambda known: [])  # the hub's own look, one for all
    monkeypatch.setattr(CursorWrapper, "execute", counted)

    async with Program(f"/api/runs/{mine.pk}/stream", **shown[by]) as client:
        start, _, history = [await client.next() for _ in range(3)]
        cost = len(queries)

    assert (start["status"], history["body"].count(b"id: 1\n")) == (200, 1)
    assert 1 <= cost <= 3, queries
    hub.here()._watcher.cancel()  # type: ignore[union-attr]
    hub.here()._watcher = None


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
async def test_other_methods_are_refused(method, mine, key):
    show = {"Authorization": f"Api-Key {key.secret}"}

    async with Program(f"/api/runs/{mine.pk}/stream", method=method, **show) as client:
        start, body = await client.next(), await client.next()

    assert (start["status"], json.loads(body["body"])["code"]) == (405, "method_not_allowed")
    assert (b"allow", b"GET") in start["headers"]


@pytest.mark.usefixtures("_hub_at_rest")
async def test_client_that_leaves_is_forgotten(mine, key):
    show = {"Authorization": f"Api-Key {key.secret}"}

    async with Program(f"/api/runs/{mine.pk}/stream", **show) as client:
        for _ in range(3):
            await client.next()
        assert hub.here().subscribers == 1

    assert hub.here().subscribers == 0
