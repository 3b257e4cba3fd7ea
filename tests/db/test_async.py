import asyncio
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import DatabaseError, connections, transaction

from project.db import statistics
from project.db.statistics import PoolStatistics
from project.db.stress.scratch import Account

pytestmark = pytest.mark.once

WITHIN_S = 60.0
LEAK_AFTER_S = 0.3


async def test_async_orm_and_threads_share_the_pool(alias):
    def write(number: int) -> None:
        try:
            with transaction.atomic(using=alias):
                Account.objects.using(alias).create(name=f"from thread {number}")
        finally:
            connections[alias].close()

    writing = sync_to_async(write, thread_sensitive=False)
    await asyncio.gather(*(writing(number) for number in range(40)))
    for number in range(5):
        await Account.objects.using(alias).acreate(name=f"async {number}")
    names = [account.name async for account in Account.objects.using(alias).order_by("-id")[:3]]

    assert await Account.objects.using(alias).acount() == 65
    assert names == ["async 4", "async 3", "async 2"]
    await sync_to_async(connections.close_all)()


async def _request(
    alias: str, *, closes_first: bool, streaming: asyncio.Semaphore, over: asyncio.Event
) -> None:
    """Do what Django's ASGI handler does for a streaming answer."""

    def view() -> None:
        Account.objects.using(alias).count()

    async def stream() -> AsyncIterator[str]:
        yield "first"
        await over.wait()
        yield "last"

    async with ThreadSensitiveContext():
        await sync_to_async(view)()
        if closes_first:
            await sync_to_async(connections.close_all)()
        async for part in stream():
            if part == "first":
                streaming.release()
        await sync_to_async(connections.close_all)()


async def _during_30_streams(alias: str, *, closes_first: bool) -> PoolStatistics:
    """Return the pool's state while each of 30 requests streams, or was refused a connection."""
    over = asyncio.Event()
    streaming = asyncio.Semaphore(0)

    async def served() -> None:
        try:
            await _request(alias, closes_first=closes_first, streaming=streaming, over=over)
        except DatabaseError:
            streaming.release()

    requests = [asyncio.create_task(served()) for _ in range(30)]
    for _ in requests:
        await asyncio.wait_for(streaming.acquire(), WITHIN_S)
    await asyncio.sleep(LEAK_AFTER_S)
    found = statistics.snapshot(alias)
    over.set()
    await asyncio.gather(*requests)
    return found


async def test_streams_that_close_first_hold_no_connection(alias):
    assert (await _during_30_streams(alias, closes_first=True)).in_use == 0


@pytest.fixture
def hasty_alias(make_database):
    return make_database(timeout=0.5, leak_after=LEAK_AFTER_S)


async def test_streams_that_do_not_close_hold_one_each_and_are_named(hasty_alias):
    during = await _during_30_streams(hasty_alias, closes_first=False)

    assert during.in_use == 20
    assert {leak.place.partition(":")[0] for leak in during.leaks} == {"tests/db/test_async.py"}
    assert statistics.snapshot(hasty_alias).in_use == 0
