"""One reader per web process: it looks for new events and feeds every subscriber.

A subscriber holds a position, no queue: what it has not read yet is read from the feed's
latest frames, or from the database when it fell behind, so a slow client costs no memory
and misses nothing. The look-up is one query for all runs that anybody follows.
"""

import asyncio
import contextvars
import logging
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar

import orjson
from channels.db import database_sync_to_async
from django.db import DatabaseError
from django.db.models import FilteredRelation, Q

from project.core.callers import Caller
from project.core.choices import FINAL, FINAL_EVENT
from project.core.errors import InvalidInputError, NotFoundError
from project.core.events import UPDATE
from project.core.models import Run, RunEvent

logger = logging.getLogger(__name__)
T = TypeVar("T")
LOOK_EVERY_S: Final = 0.1
KEEP_FRAMES: Final = 256
HISTORY_PAGE: Final = 500
#: The events that tell a run's status; those of apps may use the word for something else.
_STATE_EVENTS: Final = frozenset({UPDATE, *FINAL_EVENT.values()})


async def in_thread(call: Callable[..., T], *args: Any) -> T:
    """Run a query in a thread of its own, which gives its connection back afterwards."""
    found: T = await database_sync_to_async(call, thread_sensitive=False)(*args)
    return found


class UnknownRunError(NotFoundError):
    """There is no such run, or the caller may not know of it."""

    title = "No such run"


class BadCursorError(InvalidInputError):
    """The position is none that this stream has sent."""

    code = "bad_cursor"
    title = "Unknown event id"


@dataclass(frozen=True)
class Frame:
    """One event of a run, written out once for all subscribers."""

    run_id: uuid.UUID
    seq: int
    event: str
    data: Mapping[str, Any]

    @cached_property
    def json(self) -> bytes:
        """The data as JSON."""
        return orjson.dumps(self.data)

    @cached_property
    def message(self) -> str:
        """The whole event as a websocket message."""
        head = orjson.dumps({"id": self.seq, "event": self.event})[:-1]
        return (head + b',"data":' + self.json + b"}").decode()


@dataclass
class Feed:
    """What the hub knows of one run: its latest frames, all with ``seq > base``."""

    run_id: uuid.UUID
    base: int
    last: int
    status: str
    frames: deque[Frame] = field(default_factory=deque)
    wakes: set[asyncio.Event] = field(default_factory=set)

    def add(self, frames: Iterable[Frame]) -> None:
        """Take new frames, in order, and wake all subscribers."""
        for frame in frames:
            if frame.seq > self.last:
                self.frames.append(frame)
                self.last = frame.seq
                if frame.event in _STATE_EVENTS:
                    self.status = str(frame.data["status"])
        while len(self.frames) > KEEP_FRAMES:
            self.base = self.frames.popleft().seq
        for wake in self.wakes:
            wake.set()

    @property
    def is_over(self) -> bool:
        """Whether the run's last event is known."""
        return self.status in FINAL


@dataclass
class Opened:
    """What one query tells of a run at the moment somebody begins to follow it."""

    run_id: uuid.UUID
    status: str
    last: int
    frames: list[Frame]


def open_runs(after: Mapping[uuid.UUID, int], caller: Caller) -> list[Opened]:
    """Return runs and the next page of their events after a position each, in one query.

    Raises:
        UnknownRunError: one of them doesn't exist or is a stranger's.
        BadCursorError: a position lies after the run's last event.
    """
    later = Q()
    for run_id, seq in after.items():
        page = (seq + 1, seq + HISTORY_PAGE)
        later |= Q(events__run_id=run_id, events__seq__range=page)
    rows = (
        Run.objects.visible_to(caller)
        .filter(pk__in=list(after))
        .annotate(new=FilteredRelation("events", condition=later))
        .order_by("pk", "new__seq")
        .values_list("pk", "status", "event_seq", "new__seq", "new__event", "new__data")
    )
    found: dict[uuid.UUID, Opened] = {}
    for pk, status, last, seq, event, data in rows:
        opened = found.setdefault(pk, Opened(pk, status, last, []))
        if seq is not None:
            opened.frames.append(Frame(pk, seq, event, data))
    if missing := set(after) - set(found):
        raise UnknownRunError(f"no run {min(missing)}")
    for run_id, seq in after.items():
        if seq > found[run_id].last:
            raise BadCursorError(f"run {run_id} has no event {seq} yet")
    return [found[run_id] for run_id in after]


def _history(run_id: uuid.UUID, after: int, upto: int) -> list[Frame]:
    rows = RunEvent.objects.filter(run_id=run_id, seq__gt=after, seq__lte=upto).order_by("seq")
    found = rows.values_list("seq", "event", "data")[:HISTORY_PAGE]
    return [Frame(run_id, *row) for row in found]


def _news(known: Mapping[uuid.UUID, int]) -> list[Frame]:
    """Return the frames that came since, for runs and their last known event numbers."""
    heads = Run.objects.filter(pk__in=list(known)).order_by()
    moved = [pk for pk, last in heads.values_list("pk", "event_seq") if last > known[pk]]
    frames: list[Frame] = []
    for start in range(0, len(moved), 50):
        wanted = Q()
        for pk in moved[start : start + 50]:
            wanted |= Q(run_id=pk, seq__gt=known[pk])
        rows = RunEvent.objects.filter(wanted).order_by("run_id", "seq")
        frames += [Frame(*row) for row in rows.values_list("run_id", "seq", "event", "data")]
    return frames


class Subscription:
    """One client's place in the histories of the runs that it follows."""

    def __init__(
        self, feeds: Sequence[Feed], opened: Sequence[Opened], after: Mapping[uuid.UUID, int]
    ) -> None:
        self.feeds: Final = list(feeds)
        self.position: Final = dict(after)
        self.wake: Final = asyncio.Event()
        self._backlog = [frame for one in opened for frame in one.frames]
        self._heads = {one.run_id: one.last for one in opened}

    @property
    def is_over(self) -> bool:
        """Whether every run has ended and the client has read it all."""
        return not self._backlog and all(
            feed.is_over and self.position[feed.run_id] >= feed.last for feed in self.feeds
        )

    async def read(self, *, timeout_s: float) -> list[Frame]:
        """Return the next frames, oldest first per run; none when ``timeout_s`` has passed."""
        until = asyncio.get_running_loop().time() + timeout_s
        frames = await self._unread()
        while not frames and not self.is_over:
            try:
                async with asyncio.timeout_at(until):
                    await self.wake.wait()
            except TimeoutError:
                break
            frames = await self._unread()  # none, where a feed told what was read already
        return frames

    async def _unread(self) -> list[Frame]:
        self.wake.clear()
        if self._backlog:
            return self._take_backlog()
        found: list[Frame] = []
        for feed in self.feeds:
            found += await self._unread_of(feed)
        return found

    def _take_backlog(self) -> list[Frame]:
        frames, self._backlog = self._backlog, []
        for run_id, head in self._heads.items():
            # numbers within the page that were thinned away count as read
            self.position[run_id] = min(head, self.position[run_id] + HISTORY_PAGE)
        self.wake.set()  # more may have come since
        return frames

    async def _unread_of(self, feed: Feed) -> list[Frame]:
        position = self.position[feed.run_id]
        if position < feed.base:
            upto = feed.base  # while we ask, the feed moves on
            frames = await in_thread(_history, feed.run_id, position, upto)
            self.wake.set()  # there may be more than this page
            is_whole = len(frames) < HISTORY_PAGE
            self.position[feed.run_id] = upto if is_whole else frames[-1].seq
            return frames
        frames = [frame for frame in feed.frames if frame.seq > position]
        if frames:
            self.position[feed.run_id] = frames[-1].seq
        return frames


class Hub:
    """The feeds of one event loop."""

    def __init__(self) -> None:
        self._feeds: dict[uuid.UUID, Feed] = {}
        self._watcher: asyncio.Task[None] | None = None

    @property
    def subscribers(self) -> int:
        """How many subscriptions are open."""
        return len({id(wake) for feed in self._feeds.values() for wake in feed.wakes})

    @asynccontextmanager
    async def follow(
        self, after: Mapping[uuid.UUID, int], *, caller: Caller
    ) -> AsyncIterator[Subscription]:
        """Follow runs, each from a position on; costs one query.

        Args:
            after: the number of the last event that the client has, for each run.
            caller: who asks.

        Raises:
            UnknownRunError: one of them doesn't exist or is a stranger's.
            BadCursorError: a position lies after the run's last event.
        """
        opened = await in_thread(open_runs, after, caller)
        feeds = [self._feed(one) for one in opened]
        subscription = Subscription(feeds, opened, after)
        for feed in feeds:
            feed.wakes.add(subscription.wake)
        self._watch()
        try:
            yield subscription
        finally:
            for feed in feeds:
                feed.wakes.discard(subscription.wake)
                if not feed.wakes and self._feeds.get(feed.run_id) is feed:
                    del self._feeds[feed.run_id]

    def _feed(self, opened: Opened) -> Feed:
        feed = self._feeds.get(opened.run_id)
        if feed is None:
            feed = Feed(opened.run_id, base=opened.last, last=opened.last, status=opened.status)
            self._feeds[opened.run_id] = feed
        return feed

    def _watch(self) -> None:
        if self._watcher is None or self._watcher.done():
            # a context of its own: it outlives the request that happened to come first
            self._watcher = asyncio.get_running_loop().create_task(
                self._look_for_news(), context=contextvars.Context()
            )

    async def _look_for_news(self) -> None:
        while self._feeds:
            known = {feed.run_id: feed.last for feed in self._feeds.values() if not feed.is_over}
            try:
                frames = await in_thread(_news, known) if known else []
            except DatabaseError as error:  # clients keep their heartbeats and catch up later
                logger.warning("no news of runs", extra={"why": repr(error)})
                frames = []
            self._spread(frames)
            await asyncio.sleep(LOOK_EVERY_S)

    def _spread(self, frames: Iterable[Frame]) -> None:
        by_run: dict[uuid.UUID, list[Frame]] = {}
        for frame in frames:
            by_run.setdefault(frame.run_id, []).append(frame)
        for run_id, news in by_run.items():
            if run_id in self._feeds:
                self._feeds[run_id].add(news)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def here() -> Hub:
    """Return the hub of the running event loop; a web process has one loop, and so one hub."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        for old in [known for known in _hubs if known.is_closed()]:
            del _hubs[old]
        _hubs[loop] = Hub()
    return _hubs[loop]
