"""Whether proxies reach the sites that collectors use: asked in rounds, kept per proxy and site.

A proxy that doesn't reach a site is not lent for it until a later check does reach it, and at most
for twice the time between two checks; for other sites it stays what it was.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from project.core.working import Work
from proxies import cooling
from proxies.adapters import loops, visiting
from proxies.adapters.probe import Limits, Subject
from proxies.adapters.visiting import Seen, Visit
from proxies.choices import Outcome, Verdict
from proxies.identity import target_of
from proxies.models import CheckTarget, Proxy, TargetState
from proxies.models.pool import NEVER

#: Most visits of one round; those never done, then the longest ago, come first.
MOST: Final = 2000
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


def reach(work: Work, *, limits: Limits) -> None:
    """Visit the targets through the proxies that passed this round, where that is due."""
    seed()
    known = {site.target: site for site in sites()}
    visits = due(work, list(known.values()), now=timezone.now())
    if not visits:
        return
    told: dict[str, dict[str, int]] = {}
    down: frozenset[str] = frozenset()
    for batch in loops.iterate(lambda: visiting.visit_all(visits, limits=limits)):
        work.check()
        down = batch.down
        keep(batch.seen, known, now=timezone.now())
        for seen in batch.seen:
            counts = told.setdefault(seen.target, {"asked": 0, "reached": 0})
            counts["asked"] += 1
            counts["reached"] += seen.outcome == Outcome.OK
    work.keep(targets=told, targets_down=sorted(down))


def due(work: Work, known: Sequence[Site], *, now: datetime) -> list[Visit]:
    """Return the visits that a round owes: of those who passed it, where the last is long ago."""
    passed = Proxy.objects.healthy().filter(checks__run=work.run, checks__verdict=Verdict.OK)
    proxies = {each.pk: each for each in passed.only(*_FIELDS)} if known else {}
    names = [site.target for site in known]
    # by the run, not by a list of thousands of ids
    states = TargetState.objects.filter(
        target__in=names, proxy__checks__run=work.run, checked_at__isnull=False
    )
    last = {
        (pk, target): at for pk, target, at in states.values_list("proxy", "target", "checked_at")
    }
    owed = sorted(
        (at, pk, number)
        for pk in proxies
        for number, site in enumerate(known)
        if (at := last.get((pk, site.target)) or NEVER) <= now - site.every
    )
    return [
        Visit(_subject(proxies[pk]), known[number].target, known[number].urls)
        for _, pk, number in owed[:MOST]
    ]


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
    }
    if seen.outcome == Outcome.OK:
        if is_by_check(state, every):
            changes |= {"blocked_until": None, "blocked_for": ""}
        return changes
    until = now + _pause(seen.outcome, every)
    if state.blocked_until is None or until > state.blocked_until:
        changes |= {"blocked_until": until, "blocked_for": seen.outcome}
    return changes


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
