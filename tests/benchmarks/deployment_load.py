"""The clients of ``deployment``: requests when they are due, and streams that count their events."""

import asyncio
import itertools
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any

import aiohttp
import orjson

PATIENCE_S = 30


@dataclass(frozen=True)
class Load:
    """What is asked: of whom, how often, for how long, with how many streams open."""

    port: int
    trust: SSLContext
    key: str
    market: int
    runs: tuple[str, ...]
    rate: float
    seconds: float
    streams: int

    @property
    def origin(self) -> str:
        """Where nginx is."""
        return f"https://localhost:{self.port}"


@dataclass
class Seen:
    """What came back: seconds by kind of request, what failed, how late the events were."""

    took_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    late_ms: list[float] = field(default_factory=list)
    opened: int = 0
    lost: int = 0
    missed: int = 0
    grown: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def one_open(self) -> None:
        """Note that a stream was opened."""
        async with self.grown:
            self.opened += 1
            self.grown.notify_all()

    async def all_open(self, count: int) -> None:
        """Return when ``count`` streams are open."""
        async with self.grown:
            await self.grown.wait_for(lambda: self.opened >= count)


async def _lease(session: aiohttp.ClientSession, load: Load) -> int:
    body = {"pool": "warm", "target": "bench.example", "ttl": 30}
    async with session.post(f"{load.origin}/api/proxies/leases", json=body) as answer:
        if answer.status >= 400:
            return answer.status
        lease = await answer.json()
    done = {"token": lease["token"], "outcome": "ok", "latency_ms": 120.5}
    async with session.post(
        f"{load.origin}/api/proxies/leases/{lease['id']}/release", json=done
    ) as answer:
        await answer.read()
        return answer.status


def _get(path: str) -> Callable[[aiohttp.ClientSession, Load], Any]:
    async def ask(session: aiohttp.ClientSession, load: Load) -> int:
        async with session.get(load.origin + path.format(load=load)) as answer:
            await answer.read()
            return answer.status

    return ask


#: What clients ask, in turn; a lease is two requests, and counted as one.
MIX: dict[str, Callable[[aiohttp.ClientSession, Load], Any]] = {
    "lease": _lease,
    "candles": _get("/api/markets/{load.market}/candles?timeframe=1m&limit=500"),
    "markets": _get("/api/markets?limit=50"),
    "runs": _get("/api/runs?limit=20"),
    "run": _get("/api/runs/{load.runs[0]}"),
    "proxies": _get("/api/proxies?limit=50"),
    "gaps": _get("/api/markets/{load.market}/gaps?timeframe=1m&limit=50"),
    "health": _get("/api/health"),
}


async def _one(
    name: str, due_s: float, session: aiohttp.ClientSession, load: Load, seen: Seen
) -> None:
    try:
        status = await MIX[name](session, load)
    except (aiohttp.ClientError, TimeoutError) as error:
        seen.errors[f"{name}: {type(error).__name__}"] += 1
        return
    if status >= 400:
        seen.errors[f"{name}: {status}"] += 1
    seen.took_s[name].append(time.perf_counter() - due_s)


class Stream:
    """One open stream of a run; notes how late its events are, and which never came."""

    def __init__(self, seen: Seen) -> None:
        self.seen, self.last = seen, -1

    async def sse(self, session: aiohttp.ClientSession, run: str, load: Load) -> None:
        """Follow ``run`` by server-sent events."""
        async with session.get(f"{load.origin}/api/runs/{run}/stream") as answer:
            answer.raise_for_status()
            await self.seen.one_open()
            async for line in answer.content:
                if line.startswith(b"data: "):
                    self.note(orjson.loads(line[6:]))

    async def websocket(self, session: aiohttp.ClientSession, run: str, load: Load) -> None:
        """Follow ``run`` by websocket."""
        async with session.ws_connect(f"{load.origin}/ws/runs/{run}/") as socket:
            await self.seen.one_open()
            async for message in socket:
                self.note(orjson.loads(message.data)["data"])

    def note(self, data: dict[str, Any]) -> None:
        """Note an event; ticks have a number and the moment when they were written."""
        if "sent_s" not in data:
            return
        self.seen.late_ms.append((time.time() - data["sent_s"]) * 1000)
        if self.last >= 0:
            self.seen.missed += data["number"] - self.last - 1
        self.last = data["number"]


async def ask_all(load: Load) -> dict[str, Any]:
    """Open the streams, send the requests, close; return the figures."""
    seen = Seen()
    headers = {"Authorization": f"Api-Key {load.key}"}
    connector = aiohttp.TCPConnector(ssl=load.trust, limit=0)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE_S)
    async with aiohttp.ClientSession(
        headers=headers, connector=connector, timeout=timeout
    ) as session:
        streams = []
        for number in range(load.streams):
            run, one = load.runs[number % len(load.runs)], Stream(seen)
            follow = one.websocket if number % 2 else one.sse
            streams.append(asyncio.create_task(follow(session, run, load)))
            await asyncio.sleep(0.01)
        async with asyncio.timeout(PATIENCE_S):
            await seen.all_open(load.streams)
        await _requests(session, load, Seen(), seconds=3)  # connections and caches are warm
        seen.late_ms.clear()
        sent = await _requests(session, load, seen, seconds=load.seconds)
        seen.lost = sum(stream.done() for stream in streams) + load.streams - seen.opened
        for task in streams:
            task.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    return _figures(seen, load, sent)


async def _requests(
    session: aiohttp.ClientSession, load: Load, seen: Seen, *, seconds: float
) -> int:
    began, asked = time.perf_counter(), []
    names = itertools.cycle(MIX)
    for number in range(int(load.rate * seconds)):
        due = began + number / load.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        asked.append(asyncio.create_task(_one(next(names), due, session, load, seen)))
    await asyncio.wait(asked, timeout=PATIENCE_S)
    return len(asked)


def _figures(seen: Seen, load: Load, sent: int) -> dict[str, Any]:
    every = [took for found in seen.took_s.values() for took in found]
    cuts, late = statistics.quantiles(every, n=100), statistics.quantiles(seen.late_ms, n=100)
    return {
        "requests": sent,
        "per_s": load.rate,
        "errors": dict(seen.errors) | ({"no answer": sent - len(every)} if sent > len(every) else {}),
        "p50_ms": round(cuts[49] * 1000, 1),
        "p95_ms": round(cuts[94] * 1000, 1),
        "p99_ms": round(cuts[98] * 1000, 1),
        "p95_ms_by_kind": {
            name: round(statistics.quantiles(found, n=20)[18] * 1000, 1)
            for name, found in sorted(seen.took_s.items())
        },
        "streams": load.streams,
        "streams_lost": seen.lost,
        "events_read": len(seen.late_ms),
        "events_missed": seen.missed,
        "event_p95_ms": round(late[94], 1),
    }  # fmt: skip
