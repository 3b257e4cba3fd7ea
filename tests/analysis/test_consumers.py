import asyncio
import json
from typing import Any

import pytest
from django.utils import timezone

from analysis import consumers, submitting
from analysis.models import Job
from project.core import hub
from project.core.callers import Caller
from project.core.hub import in_thread
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.analysis.factories import make_strategy, make_unlimited_user
from tests.factories import make_key
from tests.project.test_consumers import Socket, socket

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


@pytest.fixture(autouse=True)
async def _at_rest(monkeypatch):
    monkeypatch.setattr(hub, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(consumers, "LINGER_S", 0.2)
    yield
    if (watcher := hub.here()._watcher) is not None:
        await asyncio.wait_for(watcher, 10)
    assert hub.here().subscribers == 0


def header_of(user_id: Any, **fields: Any) -> tuple[bytes, bytes]:
    from accounts.models import User

    key = make_key(User.objects.get(pk=user_id), **fields)
    return b"authorization", f"Api-Key {key.secret}".encode()


@pytest.fixture
def mine(caller: Caller) -> tuple[bytes, bytes]:
    return header_of(caller.user_id)


@pytest.fixture
def job(caller: Caller) -> Job:
    return submitting.of_url(URL, by=caller, now=timezone.now()).job


@pytest.fixture
def ended(job: Job, outside: Outside) -> Job:
    return doing.finish(job)


async def opened(job: Job, header: tuple[bytes, bytes], query: str = "") -> Socket:
    found = socket(f"/ws/jobs/{job.pk}/{query}", header)
    connected, _ = await found.connect(timeout=10)
    assert connected
    return found


async def next_of(ws: Socket, *names: str) -> dict[str, Any]:
    """Return the next message called one of ``names``."""
    while True:
        message = await ws.receive_output(timeout=20)
        assert message["type"] == "websocket.send", message
        found: dict[str, Any] = json.loads(message["text"])
        if found["event"] in names:
            return found


async def rest_of(ws: Socket) -> list[dict[str, Any]]:
    """Return all messages until the server closes the socket."""
    found = []
    while (message := await ws.receive_output(timeout=20))["type"] == "websocket.send":
        found.append(json.loads(message["text"]))
    return found


async def test_a_socket_tells_the_same_events_and_closes(ended: Job, mine):
    ws = await opened(ended, mine)
    told = await rest_of(ws)

    assert told[-1] == {
        "id": told[-1]["id"],
        "event": "completed",
        "data": {"job_id": str(ended.pk), "status": "partial", "progress": 100},
    }
    ws = await opened(ended, mine, f"?since={told[0]['id']}")
    assert await rest_of(ws) == told[1:]


async def test_cancel(job: Job, mine):
    ws = await opened(job, mine)
    await ws.send_to(text_data='{"action": "cancel"}')

    told = {(await next_of(ws, "accepted", "canceled"))["event"] for _ in range(2)}

    assert told == {"accepted", "canceled"}
    assert (await in_thread(Job.objects.get)).final_status == "canceled"


async def test_retry_geocode_after_the_end(ended: Job, mine):
    ws = await opened(ended, mine)
    await next_of(ws, "completed")
    await ws.send_to(text_data='{"action": "retry_geocode", "raw": ["atlantis"]}')

    told = await next_of(ws, "accepted", "refused")

    made = await in_thread(lambda: Job.objects.exclude(pk=ended.pk).get())
    assert told == {
        "id": None,
        "event": "accepted",
        "data": {
            "action": "retry_geocode",
            "job_id": str(made.pk),
            "status": "queued",
            "places": 1,
        },
    }
    await rest_of(ws)


async def test_set_strategy(ended: Job, mine):
    other = await in_thread(lambda: make_strategy(model="other"))
    ws = await opened(ended, mine)
    await ws.send_to(text_data=json.dumps({"action": "set_strategy", "strategy": other.name}))

    told = await next_of(ws, "accepted", "refused")

    made = await in_thread(
        lambda: Job.objects.select_related("analysis").exclude(pk=ended.pk).get()
    )
    assert made.analysis.strategy_id == other.pk
    assert told["data"] == {
        "action": "set_strategy",
        "job_id": str(made.pk),
        "status": "queued",
        "cached": False,
    }
    await rest_of(ws)


async def test_subscribe_tells_again_from_a_number_on(ended: Job, mine):
    ws = await opened(ended, mine)
    last = await next_of(ws, "completed")
    await ws.send_to(text_data=json.dumps({"action": "subscribe", "since": last["id"] - 1}))

    assert await rest_of(ws) == [last]


async def test_subscribe_while_events_come(job: Job, mine, outside: Outside):
    ws = await opened(job, mine)
    await ws.send_to(text_data='{"action": "subscribe", "since": 0}')
    await in_thread(lambda: doing.finish(job))

    told = await rest_of(ws)

    assert told[-1]["event"] == "completed"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "bad_action"),
        ('{"action": "explode"}', "bad_action"),
        ('{"action": "subscribe", "since": 999}', "bad_cursor"),
        ('{"action": "set_strategy", "strategy": "nobody"}', "unknown_strategy"),
        ('{"action": "retry_geocode"}', "nothing_to_retry"),
    ],
)
async def test_what_is_refused_is_said_and_the_socket_goes_on(text, code, job: Job, mine):
    ws = await opened(job, mine)
    await ws.send_to(text_data=text)
    told = await next_of(ws, "refused", "accepted")
    assert (told["event"], told["data"]["code"]) == ("refused", code)

    await ws.send_to(text_data='{"action": "cancel"}')
    assert (await next_of(ws, "accepted"))["data"]["action"] == "cancel"
    await rest_of(ws)


async def test_a_key_that_reads_only_steers_nothing(job: Job, caller: Caller):
    header = await in_thread(lambda: header_of(caller.user_id, scopes=["analysis:read"]))
    ws = await opened(job, header)
    await ws.send_to(text_data='{"action": "cancel"}')

    assert (await next_of(ws, "refused"))["data"]["code"] == "permission_denied"
    await ws.disconnect()


async def test_strangers_are_refused(job: Job):
    header = await in_thread(lambda: header_of(make_unlimited_user().pk))
    ws = socket(f"/ws/jobs/{job.pk}/", header)

    assert await ws.connect(timeout=10) == (False, 4404)
