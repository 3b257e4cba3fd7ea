"""Checking many proxies at once, as many as the event loop bears, while judges are watched."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from project.core import tracing
from proxies.adapters import probe
from proxies.adapters.probe import Finding, Limits, Setting, Subject
from proxies.adapters.wire import CheckFailedError, Judge
from proxies.choices import Verdict

LOOK_EVERY_S: Final = 1.0
_LAG_EVERY_S: Final = 0.05
_LAG_SHARE: Final = 0.2
#: Above the first the checks become fewer, below the second more, seconds.
_LAG_HIGH_S: Final = 0.03
_LAG_LOW_S: Final = 0.01
_FEWEST: Final = 10


@dataclass(frozen=True, slots=True)
class Batch:
    """What has been found since the last batch.

    Attributes:
        findings: verdicts, all reached while the judges answered.
        has_judges: False when too few judges answer: the round is over, nobody is blamed.
    """

    findings: list[Finding]
    has_judges: bool = True


Judges = tuple[Judge | None, Judge | None]


@dataclass(slots=True)
class _Round:
    setting: Setting
    judges: Sequence[Judge]
    subjects: Iterator[Subject]
    allowed: int
    found: list[tuple[Finding, Judges]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    is_exhausted: bool = False


async def check_all(
    subjects: Sequence[Subject], judges: Sequence[Judge], *, limits: Limits
) -> AsyncIterator[Batch]:
    """Yield what checks find, about once a second.

    Judges are asked directly before the first check and after those of each batch: a batch
    during which they failed is not told, since its failures may be theirs.
    """
    setting = Setting(limits, context=probe.trusting(limits.ca_file))
    if not await look(judges, setting):
        yield Batch([], has_judges=False)
        return
    at_once = min(limits.at_once, max(1, len(subjects)))
    going = _Round(setting, judges, iter(subjects), at_once)
    workers = [asyncio.create_task(_work(going, number)) for number in range(at_once)]
    pacing = asyncio.create_task(_pace(going, at_once))
    try:
        async for batch in _batches(going, workers):
            yield batch
    finally:
        for task in (*workers, pacing):
            task.cancel()
        await asyncio.gather(*workers, pacing, return_exceptions=True)


async def _batches(going: _Round, workers: list["asyncio.Task[None]"]) -> AsyncIterator[Batch]:
    waiting = set(workers)
    while waiting:
        done, waiting = await asyncio.wait(waiting, timeout=LOOK_EVERY_S)
        if waiting and not going.found:
            continue
        found, going.found = going.found, []
        alive = await look(going.judges, going.setting)
        if not alive:
            yield Batch([], has_judges=False)
            return
        fair = (_fair(finding, used, alive) for finding, used in found)
        yield Batch([finding for finding in fair if finding is not None])
        for task in done:
            task.result()  # a bug in a worker is not to pass in silence


def _fair(finding: Finding, used: Judges, alive: Sequence[Judge]) -> Finding | None:
    """Return what may be held against a proxy; None where its judge has died meanwhile."""
    plain, tls = used
    if finding.verdict == Verdict.OK:
        return finding if tls is None or tls in alive else replace(finding, tls_ok=None)
    return finding if all(judge is None or judge in alive for judge in (plain, tls)) else None


async def _work(going: _Round, number: int) -> None:
    while not going.is_exhausted:
        if number >= going.allowed:
            await going.changed.wait()
            continue
        subject = next(going.subjects, None)
        if subject is None:
            going.is_exhausted = True
            _wake(going)
            return
        used = (going.setting.plain, going.setting.tls)
        finding = await probe.check(subject, going.setting)
        going.found.append((finding, used))  # in two lines: the list may be another by now


def _wake(going: _Round) -> None:
    going.changed.set()
    going.changed.clear()


async def _pace(going: _Round, at_once: int) -> None:
    """Measure the loop's lag, and let fewer or more workers go on by it."""
    loop = asyncio.get_running_loop()
    while True:
        began_s = loop.time()
        await asyncio.sleep(_LAG_EVERY_S)
        lag_s = max(0.0, loop.time() - began_s - _LAG_EVERY_S)
        going.setting.lag_s += _LAG_SHARE * (lag_s - going.setting.lag_s)
        if going.setting.lag_s > _LAG_HIGH_S:
            going.allowed = max(min(_FEWEST, at_once), int(going.allowed * 0.9))
        elif going.setting.lag_s < _LAG_LOW_S and going.allowed < at_once:
            going.allowed += 1
            _wake(going)


async def look(judges: Sequence[Judge], setting: Setting) -> list[Judge]:
    """Ask all judges directly; return those that answer, and choose among them.

    None is returned unless more than half of them answer: that is the quorum.
    """
    with tracing.span("proxies.judges", proxies__judges=len(judges)):
        answers = await asyncio.gather(*(_asked(judge, setting) for judge in judges))
    alive = [judge for judge, own in zip(judges, answers, strict=True) if own is not None]
    if len(alive) * 2 <= len(judges):
        return []
    setting.own |= {own for own in answers if own}
    setting.plain = _any([judge for judge in alive if not judge.is_tls])
    setting.tls = _any([judge for judge in alive if judge.is_tls])
    return alive


def _any(judges: list[Judge]) -> Judge | None:
    return random.choice(judges) if judges else None  # noqa: S311 -- spreads the load


async def _asked(judge: Judge, setting: Setting) -> str | None:
    """Return the address that a judge sees of us, perhaps empty; None where it fails."""
    try:
        async with asyncio.timeout(setting.limits.connect_s):
            return probe.exit_of(await probe.ask_judge(judge, setting))
    except (CheckFailedError, OSError, EOFError, ValueError):
        return None
