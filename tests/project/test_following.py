import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from django.utils import timezone

from project.core import events, following, hub, sse
from project.core.callers import SYSTEM
from project.core.hub import Frame, in_thread
from project.core.models import Run
from tests.factories import make_event, make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _at_rest(monkeypatch):
    monkeypatch.setattr(hub, "LOOK_EVERY_S", 0.01)
    yield
    if (watcher := hub.here()._watcher) is not None:
        await asyncio.wait_for(watcher, 10)
    assert hub.here().subscribers == 0


class Renamed(following.View):
    """Shows events called ``found`` alone, until one that says so is the last."""

    has_read = False

    @property
    def is_read(self) -> bool:
        return self.has_read

    def shown(self, frame: Frame) -> Frame | None:
        if frame.event != "found":
            return None
        return Frame(frame.run_id, frame.seq, "place", {"of": "mine", **frame.data})

    def is_last(self, frame: Frame) -> bool:
        return bool(frame.data.get("last"))

    def heartbeat(self, subscription: Any) -> dict[str, Any]:
        return {"mine": True}


class Stream(sse.RunStream):
    def __init__(self, view: following.View) -> None:
        self.given = view

    async def view(self, scope: Any, caller: Any) -> following.View:
        return self.given


async def answered(view: following.View) -> tuple[int, str]:
    """Return status and body of the whole answer."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    scope = {"method": "GET", "headers": [], "path": "/x", "caller": SYSTEM_USER}
    await asyncio.wait_for(Stream(view)(scope, receive, send), 30)
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], body.decode()


SYSTEM_USER = type(SYSTEM)(user_id=1, is_staff=True)


def at(run: Run, seq: int = 0) -> Mapping[uuid.UUID, int]:
    return {run.pk: seq}


async def test_a_view_renames_hides_and_ends_the_events_of_a_run_that_goes_on():
    run = await in_thread(make_run)
    await in_thread(lambda: make_event(run, event="found", data={"n": 1}))
    await in_thread(lambda: make_event(run, event="found", data={"n": 2, "last": True}))
    await in_thread(lambda: make_event(run, event="found", data={"n": 3}))

    status, body = await answered(Renamed(at(run), caller=SYSTEM))

    assert status == 200
    assert body == (
        "retry: 3000\n\n"
        'id: 2\nevent: place\ndata: {"of":"mine","n":1}\n\n'
        'id: 3\nevent: place\ndata: {"of":"mine","n":2,"last":true}\n\n'
    )


async def test_a_view_that_is_read_answers_that_nothing_comes():
    run = await in_thread(make_run)
    view = Renamed(at(run, 1), caller=SYSTEM)
    view.has_read = True

    assert await answered(view) == (204, "")


async def test_a_view_has_heartbeats_of_its_own(monkeypatch):
    monkeypatch.setattr(sse, "HEARTBEAT_S", 0.05)
    run = await in_thread(make_run)
    answer = asyncio.create_task(answered(Renamed(at(run), caller=SYSTEM)))
    await asyncio.sleep(0)
    now = timezone.now()
    end = {"status": "done", "ended_at": now}

    async def ended() -> None:
        while hub.here().subscribers == 0:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        await in_thread(lambda: events.record(run, where={}, changes=end, now=now))

    await ended()
    _, body = await answer

    assert 'event: heartbeat\ndata: {"mine":true}\n\n' in body
