"""Whether proxies reach the sites that collectors use: asked in rounds, kept per proxy and site.

A proxy that doesn't reach a site is not lent for it until a later check does reach it, and at most
for twice the time between two checks; for other sites it stays what it was. Networks hiccup: who
reached it the last time is forgiven once, and whoever failed is asked again soon, at first after a
minute.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from project.core import tracing
from project.core.working import Work
from proxies import cooling, metrics
from proxies.adapters import loops, visiting
from proxies.adapters.probe import Limits, Subject
from proxies.adapters.visiting import Seen, Visit
from proxies.choices import Outcome, ProxyState, Verdict
from proxies.identity import target_of
from proxies.models import CheckTarget, Proxy, TargetState
from proxies.models.pool import NEVER

#: Most visits of one round; those never done, then the longest ago, come first.
MOST: Final = 2000
#: Waits after the first and the second failure in a row; then they double up to the usual time.
FIRST_RECHECK: Final = timedelta(minutes=1)
SECOND_RECHECK: Final = timedelta(minutes=5)
#: Checks in a row that may fail where the one before reached the site.
FORGIVEN: Final = 1
#: What the network brings about; a site that refuses is left in peace until it is due.
_HICCUPS: Final = frozenset({Outcome.TIMEOUT, Outcome.REFUSED, Outcome.ERROR})
_DOUBLINGS: Final = 10
_FIELDS: Final = ("scheme", "host", "port", "username", "password")
_sites: list[Callable[[], Iterable[str]]] = []


@dataclass(frozen=True, slots=True)
class Site:
    """A registered domain, the addresses that are asked there, and how often at most."""

    target: str
    urls: tuple[str, ...]
    every: timedelta


def register(sites: Callable[[], Iterable[str]]) -> None:
    """Let ``sites`` tell the URLs that an app's collectors use now; each becomes a target once."""
    if sites not in _sites:
        _sites.append(sites)


def seed() -> None:
    """Make targets of sites that collectors use and that are none yet: staff's word stays."""
    wanted = {url for tell in _sites for url in tell()}
    wanted -= set(CheckTarget.objects.filter(url__in=wanted).values_list("url", flat=True))
    rows = [CheckTarget(url=url) for url in sorted(wanted)]
    CheckTarget.objects.bulk_create(rows, ignore_conflicts=True)


def sites() -> list[Site]:
    """Return what is asked about, by registered domain."""
    found: dict[str, list[CheckTarget]] = defaultdict(list)
    for row in CheckTarget.objects.filter(is_enabled=True).order_by("url"):
        found[target_of(row.url)].append(row)
    return [
        Site(
            target,
            tuple(row.url for row in rows),
            timedelta(seconds=min(row.every_s for row in rows)),
        )
        for target, rows in found.items()
        if target
    ]


def reach(work: Work, *, limits: Limits, progress_from: float = 0.0) -> None:
    """Visit the targets through the proxies that passed this round, where that is due.

    Args:
        work: the round.
        limits: how long a visit may take.
        progress_from: the run's progress so far; visits bring it to 100.
    """
    seed()
    known = {site.target: site for site in sites()}
    visits = due(work, list(known.values()), now=timezone.now())
    if not visits:
        return
    counts = {"visits": len(visits), "visited": 0, "reached": 0}
    told: dict[str, dict[str, int]] = work.checkpoint.get("targets", {})
    for batch in loops.iterate(lambda: visiting.visit_all(visits, limits=limits)):
        work.check()
        with tracing.span("proxies.keep_visits", proxies__visits=len(batch.seen)):
            keep(batch.seen, known, now=timezone.now())
        _tell(batch.seen, told, counts)
        work.keep(targets=told, targets_down=sorted(batch.down))
        share = counts["visited"] / counts["visits"]
        progress = progress_from + (100 - progress_from) * share
        work.report(phase="visiting targets", progress=progress, counts=counts)


def _tell(found: Sequence[Seen], told: dict[str, dict[str, int]], counts: dict[str, int]) -> None:
    """Count what visits came to: by target, and for the run's page."""
    for seen in found:
        is_reached = seen.outcome == Outcome.OK
        here = told.setdefault(seen.target, {"asked": 0, "reached": 0})
        here["asked"] += 1
        here["reached"] += is_reached
        counts["visited"] += 1
        counts["reached"] += is_reached
        metrics.TARGET_CHECKS.labels(seen.target, seen.outcome).inc()
        if seen.latency_ms is not None:
            metrics.TARGET_LATENCY.labels(seen.target).observe(seen.latency_ms / 1000)


def due(work: Work, known: Sequence[Site], *, now: datetime) -> list[Visit]:
    """Return the visits that a round owes: the longest ago first.

    Of those who passed it, where the last visit is long ago or failed lately; and where nobody
    asked for certain proxies, of all healthy ones that failed lately.
    """
    if not known:
        return []
    passed = Proxy.objects.healthy().filter(checks__run=work.run, checks__verdict=Verdict.OK)
    proxies = {each.pk: each for each in passed.only(*_FIELDS)}
    names = [site.target for site in known]
    # by the run, not by a list of thousands of ids
    states = TargetState.objects.filter(
        target__in=names, proxy__checks__run=work.run, checked_at__isnull=False
    )
    last = {(state.proxy_id, state.target): state for state in states}
    owed = [
        (_checked_at(state), pk, number)
        for pk in proxies
        for number, site in enumerate(known)
        if _is_due(state := last.get((pk, site.target)), site.every, now=now)
    ]
    if not work.payload.get("asked"):
        owed += _failed_lately(known, proxies, now=now)
    return [
        Visit(_subject(proxies[pk]), known[number].target, known[number].urls)
        for _, pk, number in sorted(owed)[:MOST]
    ]


def _checked_at(state: TargetState | None) -> datetime:
    return NEVER if state is None else state.checked_at or NEVER


def _is_due(state: TargetState | None, every: timedelta, *, now: datetime) -> bool:
    if state is None:
        return True
    wait = wait_after(state.check_outcome, state.check_failures, every)
    return _checked_at(state) <= now - wait


def wait_after(outcome: str, failures: int, every: timedelta) -> timedelta:
    """Return the time to the next check: short where a hiccup may be over."""
    if outcome not in _HICCUPS or not failures:
        return every
    if failures == 1:
        return min(every, FIRST_RECHECK)
    return min(every, SECOND_RECHECK * (1 << min(_DOUBLINGS, failures - 2)))


def _failed_lately(
    known: Sequence[Site], proxies: dict[int, Proxy], *, now: datetime
) -> list[tuple[datetime, int, int]]:
    """Return the visits owed by healthy proxies outside of the round, which join ``proxies``."""
    numbers = {site.target: number for number, site in enumerate(known)}
    states = TargetState.objects.filter(
        target__in=numbers,
        check_failures__gte=1,
        check_outcome__in=_HICCUPS,
        checked_at__lte=now - FIRST_RECHECK,
        proxy__state=ProxyState.HEALTHY,
    )
    found = [
        (_checked_at(state), state.proxy_id, numbers[state.target])
        for state in states.order_by("checked_at")[:MOST]
        if state.proxy_id not in proxies
        and _is_due(state, known[numbers[state.target]].every, now=now)
    ]
    rows = Proxy.objects.filter(pk__in={pk for _, pk, _ in found}).only(*_FIELDS)
    proxies |= {each.pk: each for each in rows}
    return [one for one in found if one[1] in proxies]


def _subject(each: Proxy) -> Subject:
    return Subject(each.pk, each.scheme, each.host, each.port, each.username, each.password)


def keep(found: Sequence[Seen], known: dict[str, Site], *, now: datetime) -> None:
    """Write what visits came to, and for how long a site is left alone."""
    if not found:
        return
    by_pair = {(seen.key, seen.target): seen for seen in found}
    ids = {seen.key for seen in found}
    with transaction.atomic():
        # proxies first, then their states: the order of all locks
        rows = Proxy.objects.filter(pk__in=ids).order_by("pk").select_for_update()
        there = set(rows.values_list("pk", flat=True))
        missing = [TargetState(proxy_id=pk, target=name) for pk, name in by_pair if pk in there]
        TargetState.objects.bulk_create(missing, ignore_conflicts=True)
        targets = {seen.target for seen in found}
        states = TargetState.objects.filter(proxy__in=there, target__in=targets).order_by("pk")
        for state in states.select_for_update(of=("self",)):
            seen = by_pair.get((state.proxy_id, state.target))
            if seen is not None:
                changes = _changes(state, seen, known[state.target].every, now=now)
                TargetState.objects.filter(pk=state.pk).update(**changes)


def _changes(state: TargetState, seen: Seen, every: timedelta, *, now: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "checked_at": now,
        "check_outcome": seen.outcome,
        "check_detail": seen.detail,
        "check_failures": 0 if seen.outcome == Outcome.OK else state.check_failures + 1,
    }
    is_ours = is_by_check(state, every)
    if seen.outcome == Outcome.OK:
        return changes | ({"blocked_until": None, "blocked_for": ""} if is_ours else {})
    if _is_forgiven(state, seen):
        return changes
    until = now + _pause(seen.outcome, every)
    if is_ours or state.blocked_until is None or until > state.blocked_until:
        changes |= {"blocked_until": until, "blocked_for": seen.outcome}
    return changes


def _is_forgiven(state: TargetState, seen: Seen) -> bool:
    """Say whether it may be a hiccup: the check before reached the site."""
    has_reached = state.check_outcome == Outcome.OK
    return has_reached and seen.outcome in _HICCUPS and state.check_failures < FORGIVEN


def _pause(outcome: str, every: timedelta) -> timedelta:
    """Return how long a site is left alone: busy sites recover, others by the next check."""
    if outcome == Outcome.RATE_LIMITED:
        return cooling.pause_at_target(outcome, failures_in_row=1)
    return 2 * every


def is_by_check(state: TargetState, every: timedelta) -> bool:
    """Say whether a check left the site alone, not a holder's report or staff: those stand."""
    if state.checked_at is None or state.check_outcome in ("", Outcome.OK):
        return False
    return state.blocked_until == state.checked_at + _pause(state.check_outcome, every)
