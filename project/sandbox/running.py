"""How a world runs inside a test: beside it in a thread, or in its own event loop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from project.sandbox.world import World, WorldPlan


@contextmanager
def running(plan: WorldPlan | None = None) -> Iterator[World]:
    """Run a world in a thread with its own event loop, for tests that are not async."""
    world = World(plan)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sandbox", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(world.start(), loop).result()
        try:
            yield world
        finally:
            asyncio.run_coroutine_threadsafe(_stopped(world), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@asynccontextmanager
async def started(plan: WorldPlan | None = None) -> AsyncIterator[World]:
    """Run a world in the event loop of the caller."""
    world = World(plan)
    await world.start()
    try:
        yield world
    finally:
        await world.stop()


async def _stopped(world: World) -> None:
    """Stop a world and whatever else is left in its loop."""
    await world.stop()
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()
