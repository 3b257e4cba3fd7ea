import asyncio
import threading

import pytest
import structlog
from django.db import connection, connections

from accounts.models import User
from project.core import lanes
from tests.factories import make_user


async def test_run_returns_or_raises_what_the_call_does():
    def fail():
        raise ValueError("no")

    assert await lanes.here().run(lambda: 7) == 7
    with pytest.raises(ValueError, match="no"):
        await lanes.here().run(fail)
    assert await lanes.here().run(lambda: 8) == 8


async def test_a_call_sees_the_context_of_who_asks():
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        found = await lanes.here().run(structlog.contextvars.get_contextvars)

    assert found["request_id"] == "abc"


async def test_who_went_does_not_hold_up_the_next():
    gate = threading.Event()
    gone = asyncio.create_task(lanes.here().run(gate.wait))
    await asyncio.sleep(0)
    gone.cancel()
    gate.set()

    assert await lanes.here().run(lambda: "next") == "next"


@pytest.mark.django_db(transaction=True)
def test_many_calls_at_once_each_get_their_own_answer():
    users = [make_user().pk for _ in range(20)]

    async def ask(pk):
        return await lanes.here().run(lambda: User.objects.get(pk=pk).pk)

    async def all_of_them():
        return await asyncio.gather(*(ask(pk) for pk in users))

    assert asyncio.run(all_of_them()) == users


@pytest.mark.django_db(transaction=True)
def test_a_lane_keeps_its_connection_for_who_comes_soon(monkeypatch):
    monkeypatch.setattr(lanes, "KEPT_S", 30.0)
    own = lanes.Lanes(1)

    def look():
        connection.ensure_connection()
        return connection.connection

    async def ask():
        seen = [await own.run(look) for _ in range(3)]
        await own.run(connections.close_all)
        return seen

    seen = asyncio.run(ask())

    assert seen[0] is seen[1] is seen[2]


@pytest.mark.django_db(transaction=True)
def test_a_lane_without_work_holds_no_connection():
    kept = []

    def look():
        connection.ensure_connection()
        kept.append(connection)

    async def ask():
        await lanes.here().run(look)
        for _ in range(1000):
            if kept[0].connection is None:
                return
            await asyncio.sleep(0.01)

    asyncio.run(ask())

    assert kept[0].connection is None
