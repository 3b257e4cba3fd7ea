"""Asking sites through proxies whether they are reached: one GET each, the status line read."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from proxies.adapters import probe, wire
from proxies.adapters.probe import Limits, Subject
from proxies.adapters.wire import CheckFailedError, Judge, Streams, Upstream
from proxies.choices import Outcome, Scheme, Verdict

_LOOK_EVERY_S: Final = 1.0
_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
_BROKEN: Final = 500
_ANYBODY: Final = (401, 403)
_BY_STATUS: Final = {
    401: Outcome.BLOCKED,
    403: Outcome.BLOCKED,
    407: Outcome.REFUSED,  # said by the proxy, whoever else might
    418: Outcome.RATE_LIMITED,
    429: Outcome.RATE_LIMITED,
    451: Outcome.BLOCKED,
}
_BY_VERDICT: Final = {
    Verdict.TIMEOUT: Outcome.TIMEOUT,
    Verdict.REFUSED: Outcome.REFUSED,
    Verdict.INTERCEPTED: Outcome.MISMATCH,
}


@dataclass(frozen=True, slots=True)
class Visit:
    """A proxy through which some addresses of one site are to be asked."""

    subject: Subject
    target: str
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a visit: good where every address was reached, else the first failure.

    ``latency_ms`` is that of the slowest address, of good visits alone.
    """

    key: int
    target: str
    outcome: str
    detail: str = ""
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What has been seen since the last batch.

    Attributes:
        down: addresses that don't answer well without a proxy either: no proxy is blamed for them.
    """

    seen: list[Seen]
    down: frozenset[str]


@dataclass(slots=True)
class _Tour:
    limits: Limits
    context: ssl.SSLContext
    visits: Iterator[Visit]
    down: frozenset[str]
    seen: list[Seen] = field(default_factory=list)


async def visit_all(visits: Sequence[Visit], *, limits: Limits) -> AsyncIterator[Batch]:
    """Yield what visits come to, about once a second; sites are asked directly before."""
    context = probe.trusting(limits.ca_file)
    urls = sorted({url for visit in visits for url in visit.urls})
    up = await asyncio.gather(*(_is_up(url, limits, context) for url in urls))
    down = frozenset(url for url, answers in zip(urls, up, strict=True) if not answers)
    tour = _Tour(limits, context, iter(visits), down)
    workers = [
        asyncio.create_task(_work(tour)) for _ in range(min(limits.at_once, max(1, len(visits))))
    ]
    try:
        waiting = set(workers)
        while waiting:
            done, waiting = await asyncio.wait(waiting, timeout=_LOOK_EVERY_S)
            seen, tour.seen = tour.seen, []
            yield Batch(seen, down)
            for task in done:
                task.result()  # a bug in a worker is not to pass in silence
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _work(tour: _Tour) -> None:
    for visit in tour.visits:
        urls = [url for url in visit.urls if url not in tour.down]
        if urls:
            seen = await _visit(visit, urls, tour)
            tour.seen.append(seen)


async def _visit(visit: Visit, urls: list[str], tour: _Tour) -> Seen:
    now_s, slowest_s = asyncio.get_running_loop().time, 0.0
    for url in urls:
        began_s = now_s()
        outcome, detail = await _ask(visit.subject, url, tour)
        if outcome != Outcome.OK:
            return Seen(visit.subject.key, visit.target, outcome, detail[:200])
        slowest_s = max(slowest_s, now_s() - began_s)
    return Seen(visit.subject.key, visit.target, Outcome.OK, latency_ms=1000 * slowest_s)


async def _ask(subject: Subject, url: str, tour: _Tour) -> tuple[str, str]:
    try:
        async with asyncio.timeout(tour.limits.total_s):
            status = await _through(subject, url, tour)
    except TimeoutError:
        return Outcome.TIMEOUT, ""
    except CheckFailedError as failed:
        return _BY_VERDICT.get(Verdict(failed.verdict), Outcome.ERROR), failed.detail
    except (OSError, EOFError, ValueError) as error:  # whatever the other side comes up with
        return Outcome.ERROR, type(error).__name__
    return outcome_of(status), f"answered {status}"


def outcome_of(status: int) -> str:
    """Return what an answer says: any but a refusal means that the site was reached."""
    return _BY_STATUS.get(status, Outcome.ERROR if status >= _BROKEN else Outcome.OK)


async def _through(subject: Subject, url: str, tour: _Tour) -> int:
    address = await wire.checked_address(subject.host, subject.port)
    upstream = Upstream(subject.scheme, address, subject.port, subject.username, subject.password)
    site, limit_s = probe.judge_of(url), tour.limits.connect_s
    if upstream.scheme == Scheme.HTTP and not site.is_tls:
        streams = await wire.connect(address, subject.port, timeout_s=limit_s)
        return await _status(streams, site, f"http://{site.authority}{_path(url)}", upstream.login)
    context = tour.context if site.is_tls else None
    streams = await wire.tunnel(upstream, site, tls=context, timeout_s=limit_s)
    return await _status(streams, site, _path(url))


async def _is_up(url: str, limits: Limits, context: ssl.SSLContext) -> bool:
    """Say whether a site answers us directly: with anything but an error of its own, or a 401/403.

    Who is refused alike with and without a proxy has the wrong address; 429 and 451 are what
    proxies are for.
    """
    try:
        async with asyncio.timeout(limits.total_s):
            site = probe.judge_of(url)
            address = await wire.checked_address(site.host, site.port)
            streams = await wire.connect(address, site.port, timeout_s=limits.connect_s)
            if site.is_tls:
                await wire.start_tls(streams, site, context)
            status = await _status(streams, site, _path(url))
            return status < _BROKEN and status not in _ANYBODY
    except (CheckFailedError, OSError, EOFError, ValueError):  # a TimeoutError is an OSError
        return False


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"


async def _status(streams: Streams, site: Judge, path: str, login: str = "") -> int:
    reader, writer = streams
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {site.authority.removesuffix(':443' if site.is_tls else ':80')}",
        f"User-Agent: {_AGENT}",
        "Accept: */*",
        "Connection: close",
    ]
    if login:
        lines.append(f"Proxy-Authorization: {login}")
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        words = (await reader.readuntil(b"\n")).split()
    finally:
        writer.transport.abort()
    if len(words) < 2 or not words[0].startswith(b"HTTP/"):  # noqa: PLR2004 -- protocol, status
        raise CheckFailedError(Verdict.BAD_ANSWER, "no HTTP answer")
    return int(words[1])
