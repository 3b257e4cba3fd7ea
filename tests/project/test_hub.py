import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from project.core import events, hub
from project.core.callers import NOBODY, Caller
from project.core.choices import RunStatus
from project.core.hub import Frame, Hub, Subscription, in_thread
from project.core.models import Run, RunEvent
from tests.factories import make_event, make_run, make_user

pytestmark = pytest.mark.django_db(transaction=True)
STAFF = Caller(user_id=1, is_staff=True)


@pytest.fixture
async def here(monkeypatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(hub, "LOOK_EVERY_S", 0.01)
    found = Hub()
    yield found
    assert found.subscribers == 0
    if found._watcher is not None:
        await asyncio.wait_for(found._watcher, 10)


def run_with(count: int, **fields: Any) -> Run:
    """A run with ``count`` events."""
    run = make_run(**fields)
    for _ in range(count - 1):
        make_event(run)
    return run


def append(run: Run, count: int) -> None:
    for _ in range(count):
        make_event(run)


def end(run: Run) -> None:
    run.refresh_from_db()
    now = timezone.now()
    events.record(run, where={}, changes={"status": RunStatus.DONE, "ended_at": now}, now=now)


async def read(subscription: Subscription, count: int) -> list[Frame]:
    """Read until ``count`` frames have come."""
    found: list[Frame] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found += await subscription.read(timeout_s=10)
    return found


async def read_to_the_end(subscription: Subscription) -> list[Frame]:
    found: list[Frame] = []
    async with asyncio.timeout(20):
        while not subscription.is_over:
            found += await subscription.read(timeout_s=10)
    return found


def numbers(frames: list[Frame]) -> list[int]:
    return [frame.seq for frame in frames]


async def test_follow_gives_history_then_news_without_gap_or_double(here):
    run = await in_thread(run_with, 3)

    async with here.follow({run.pk: 0}, caller=STAFF) as subscription:
        found = await read(subscription, 3)
        await in_thread(append, run, 2)
        found += await read(subscription, 2)
        await in_thread(end, run)
        found += await read_to_the_end(subscription)

    assert numbers(found) == [1, 2, 3, 4, 5, 6]
    assert [frame.event for frame in found] == ["run_update"] * 5 + ["completed"]
    assert subscription.is_over


async def test_follow_while_events_are_written_misses_and_repeats_none(here):
    run = await in_thread(run_with, 1)
    writing = asyncio.create_task(in_thread(append, run, 60))
    found: list[list[int]] = []

    async def follow(after: int) -> None:
        async with here.follow({run.pk: after}, caller=STAFF) as subscription:
            found.append([after, *numbers(await read(subscription, 61 - after))])

    await asyncio.gather(*[follow(0) for _ in range(5)], writing)
    await asyncio.gather(*[follow(after) for after in (0, 30, 60)])

    wanted = [[after, *range(after + 1, 62)] for after in (0, 0, 0, 0, 0, 0, 30, 60)]
    assert sorted(found) == sorted(wanted)


async def test_follow_of_an_ended_run_gives_what_is_missing_and_is_over(here):
    run = await in_thread(run_with, 2)
    await in_thread(end, run)

    async with here.follow({run.pk: 1}, caller=STAFF) as subscription:
        assert not subscription.is_over
        assert numbers(await read_to_the_end(subscription)) == [2, 3]
    async with here.follow({run.pk: 3}, caller=STAFF) as subscription:
        assert subscription.is_over
        assert await subscription.read(timeout_s=10) == []


@pytest.mark.parametrize("extra", [-1, 0, 1])
async def test_history_longer_than_a_page_comes_whole(extra, here, monkeypatch):
    monkeypatch.setattr(hub, "HISTORY_PAGE", 5)
    run = await in_thread(run_with, 10 + extra)
    await in_thread(end, run)

    async with here.follow({run.pk: 0}, caller=STAFF) as subscription:
        found = await read_to_the_end(subscription)

    assert numbers(found) == list(range(1, 12 + extra))


async def test_history_that_was_thinned_is_passed_over(here, monkeypatch):
    monkeypatch.setattr(hub, "HISTORY_PAGE", 5)
    run = await in_thread(run_with, 30)
    await in_thread(end, run)
    await in_thread(lambda: RunEvent.objects.filter(run=run, seq__range=(2, 27)).delete())

    async with here.follow({run.pk: 0}, caller=STAFF) as subscription:
        assert numbers(await read_to_the_end(subscription)) == [1, 28, 29, 30, 31]


async def test_slow_subscriber_catches_up_from_the_database(here, monkeypatch):
    monkeypatch.setattr(hub, "KEEP_FRAMES", 4)
    monkeypatch.setattr(hub, "HISTORY_PAGE", 7)
    run = await in_thread(run_with, 1)

    async with here.follow({run.pk: 0}, caller=STAFF) as slow:
        async with here.follow({run.pk: 0}, caller=STAFF) as quick:
            await in_thread(append, run, 40)
            assert numbers(await read(quick, 41)) == list(range(1, 42))
        (feed,) = slow.feeds
        assert len(feed.frames) == 4  # what it keeps doesn't grow with the slowest
        await in_thread(end, run)
        assert numbers(await read_to_the_end(slow)) == list(range(1, 43))


async def test_slow_subscriber_misses_nothing_while_the_feed_moves_on(here, monkeypatch):
    monkeypatch.setattr(hub, "KEEP_FRAMES", 2)
    run = await in_thread(run_with, 1)

    async with here.follow({run.pk: 1}, caller=STAFF) as slow:
        async with here.follow({run.pk: 1}, caller=STAFF) as quick:
            await in_thread(append, run, 10)
            await read(quick, 10)
        (feed,) = slow.feeds
        history = hub._history

        def ask_while_more_comes(run_id: uuid.UUID, after: int, upto: int) -> list[Frame]:
            found = history(run_id, after, upto)
            append(run, 5)
            feed.add(history(run_id, feed.last, feed.last + 5))
            return found

        monkeypatch.setattr(hub, "_history", ask_while_more_comes)
        first = await slow.read(timeout_s=10)
        monkeypatch.setattr(hub, "_history", history)

        assert numbers(first + await read(slow, 16 - 1 - len(first))) == list(range(2, 17))


async def test_several_runs_over_one_subscription(here):
    first, second = await in_thread(run_with, 2), await in_thread(run_with, 3)

    async with here.follow({first.pk: 1, second.pk: 0}, caller=STAFF) as subscription:
        found = await read(subscription, 4)
        await in_thread(end, first)
        found += await read(subscription, 1)
        assert not subscription.is_over
        await in_thread(append, second, 1)
        await in_thread(end, second)
        found += await read_to_the_end(subscription)

    by_run = {
        run.pk: [frame.seq for frame in found if frame.run_id == run.pk] for run in (first, second)
    }
    assert by_run == {first.pk: [2, 3], second.pk: [1, 2, 3, 4, 5]}


async def test_event_of_an_app_does_not_end_the_stream_by_its_words(here):
    run = await in_thread(run_with, 1)

    async with here.follow({run.pk: 1}, caller=STAFF) as subscription:
        data = {"status": "done"}
        await in_thread(lambda: make_event(run, event="geocoded", data=data))
        (frame,) = await read(subscription, 1)
        assert (frame.event, subscription.is_over) == ("geocoded", False)


async def test_strangers_runs_and_no_runs_are_unknown(here):
    user = await in_thread(make_user)
    mine = await in_thread(lambda: make_run(requested_by=user))
    other = await in_thread(lambda: make_run(requested_by=make_user()))
    caller = Caller(user_id=user.pk)

    for hidden in ({other.pk: 0}, {mine.pk: 0, other.pk: 0}, {uuid.uuid4(): 0}):
        with pytest.raises(hub.UnknownRunError):
            async with here.follow(hidden, caller=caller):
                pytest.fail("followed")
    with pytest.raises(hub.UnknownRunError):
        async with here.follow({mine.pk: 0}, caller=NOBODY):
            pytest.fail("followed")
    async with here.follow({mine.pk: 0}, caller=caller) as subscription:
        assert numbers(await read(subscription, 1)) == [1]


async def test_position_after_the_last_event_is_refused(here):
    run = await in_thread(run_with, 2)

    with pytest.raises(hub.BadCursorError, match="no event 3 yet"):
        async with here.follow({run.pk: 3}, caller=STAFF):
            pytest.fail("followed")


async def test_read_gives_nothing_when_nothing_happens_in_time(here):
    run = await in_thread(run_with, 1)

    async with here.follow({run.pk: 1}, caller=STAFF) as subscription:
        subscription.wake.set()  # woken for what it has read already
        began = asyncio.get_running_loop().time()
        assert await subscription.read(timeout_s=0.05) == []
        assert asyncio.get_running_loop().time() - began >= 0.05


async def test_followers_share_one_look(here, monkeypatch):
    runs = [await in_thread(run_with, 1) for _ in range(3)]
    news, looks = hub._news, []

    def counted(known: Any) -> list[Frame]:
        looks.append(len(known))
        return news(known)

    monkeypatch.setattr(hub, "_news", counted)
    async with (
        here.follow({runs[0].pk: 0}, caller=STAFF),
        here.follow({runs[0].pk: 0}, caller=STAFF),
        here.follow({run.pk: 0 for run in runs}, caller=STAFF) as subscription,
    ):
        assert here.subscribers == 3
        await in_thread(append, runs[2], 1)
        await read(subscription, 4)

    assert set(looks) <= {1, 3}  # one look for all runs, whatever the number of followers


async def test_database_that_is_away_for_a_moment_delays_news_and_loses_none(here, monkeypatch):
    run = await in_thread(run_with, 1)
    news, turns = hub._news, []

    def flaky(known: Any) -> list[Frame]:
        turns.append(1)
        if len(turns) < 4:
            raise DatabaseError("away")
        return news(known)

    monkeypatch.setattr(hub, "_news", flaky)
    async with here.follow({run.pk: 1}, caller=STAFF) as subscription:
        await in_thread(append, run, 2)
        assert numbers(await read(subscription, 2)) == [2, 3]


async def test_hub_belongs_to_its_loop():
    assert hub.here() is hub.here()


def test_frame_is_written_as_the_contract_says():
    frame = Frame(uuid.uuid4(), 7, "run_update", {"progress": 1.5})

    assert frame.json == b'{"progress":1.5}'
    assert frame.message == '{"id":7,"event":"run_update","data":{"progress":1.5}}'
