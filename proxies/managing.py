"""What staff do to proxies by hand: take out, let in, move, retire, ban, lift a ban, reveal."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest

from project.core.callers import Caller
from project.core.errors import InvalidInputError
from proxies import claiming, policies, returning, scoring
from proxies.choices import Outcome, Pool, ProxyState
from proxies.identity import target_of
from proxies.models import Lease, Proxy, TargetState
from proxies.models.pool import usable_url

logger = logging.getLogger(__name__)
#: What staff's word weighs: so many checks of the moment.
WORD_WEIGHT: Final = 4.0
LONGEST_BAN: Final = timedelta(days=365)
_OUT: Final = (ProxyState.BLOCKED, ProxyState.RETIRED)


class BadTargetError(InvalidInputError):
    """What should be a site is none."""

    code = "bad_target"
    title = "This is no site"


def blockable(proxies: QuerySet[Proxy]) -> QuerySet[Proxy]:
    """Return those that ``block`` would take out."""
    return proxies.exclude(state=ProxyState.BLOCKED)


def block(proxies: QuerySet[Proxy], *, now: datetime) -> int:
    """Take proxies out for good, and end the leases on them; return how many."""
    return _take_out(list(blockable(proxies).values_list("pk", flat=True)), now=now, retired=False)


def retirable(proxies: QuerySet[Proxy]) -> QuerySet[Proxy]:
    """Return those that ``retire`` would take out."""
    return proxies.exclude(state__in=_OUT)


def retire(proxies: QuerySet[Proxy], *, now: datetime) -> int:
    """Take proxies out until a list names them again, and end their leases; return how many."""
    return _take_out(list(retirable(proxies).values_list("pk", flat=True)), now=now, retired=True)


def _take_out(ids: list[int], *, now: datetime, retired: bool) -> int:
    state = ProxyState.RETIRED if retired else ProxyState.BLOCKED
    out = _OUT if retired else (ProxyState.BLOCKED,)
    with transaction.atomic():
        taken = Proxy.objects.filter(pk__in=ids).exclude(state__in=out)
        count = taken.update(state=state, pool="", retired_at=now if retired else None)
    returning.revoke(Lease.objects.filter(proxy__in=ids), now=now)
    return count


def returnable(proxies: QuerySet[Proxy]) -> QuerySet[Proxy]:
    """Return those that ``unblock`` would let in."""
    return proxies.filter(state__in=_OUT)


def unblock(proxies: QuerySet[Proxy], *, now: datetime) -> int:
    """Let blocked or retired proxies be checked again, at once; return how many."""
    return returnable(proxies).update(
        state=ProxyState.FAILING, check_due_at=now, failures_in_row=0, retired_at=None
    )


def movable(proxies: QuerySet[Proxy]) -> QuerySet[Proxy]:
    """Return those that ``move`` can move: pools hold healthy proxies alone."""
    return proxies.filter(state=ProxyState.HEALTHY)


def move(proxies: QuerySet[Proxy], *, pool: str, now: datetime) -> int:
    """Put healthy proxies into ``pool``; return how many.

    Staff's word counts as evidence worth ``WORD_WEIGHT`` checks that gives a score in the middle
    of the pool: later checks and reports weigh against it, so that nobody lies for ever.
    """
    score = middle_of(pool)
    total = WORD_WEIGHT
    good = score / 100 * (total + scoring.PRIOR) - scoring.PRIOR * scoring.PRIOR_VALUE
    good = min(total, max(0.0, good))
    evidence = scoring.Evidence(good, total, now)
    keys = list(movable(proxies).values_list("pk", "exclusive_key"))
    with transaction.atomic():
        rows = Proxy.objects.filter(pk__in=[pk for pk, _ in keys], state=ProxyState.HEALTHY)
        moved = rows.update(
            pool=pool,
            good_weight=good,
            total_weight=total,
            evidence_at=now,
            score=scoring.score_of(evidence, at=now),
        )
    claiming.make_slots([key for _, key in keys], most=policies.of(pool).max_leases)
    return moved


def middle_of(pool: str) -> float:
    """Return the score in the middle of a pool's bounds."""
    known = policies.every()
    ends = {
        Pool.HOT: (known[Pool.HOT].enter_score, 100.0),
        Pool.WARM: (known[Pool.WARM].enter_score, known[Pool.HOT].leave_score),
        Pool.COLD: (0.0, known[Pool.WARM].leave_score),
    }
    low, high = ends[Pool(pool)]
    return (low + high) / 2


def ban(proxies: QuerySet[Proxy], *, target: str, lasts: timedelta, now: datetime) -> int:
    """Keep proxies from a site for a time; other sites don't notice; return how many.

    Args:
        proxies: which.
        target: a host name; its registered domain counts.
        lasts: how long; a ban that lasts longer already stays.
        now: the moment, UTC.

    Raises:
        BadTargetError: the target is no site, or the time makes no sense.
    """
    domain = target_of(target)
    if not domain or "." not in domain or not timedelta() < lasts <= LONGEST_BAN:
        raise BadTargetError("name a host, such as api.example.com, and at most a year")
    ids = list(proxies.order_by("pk").values_list("pk", flat=True))
    until = now + lasts
    with transaction.atomic():
        rows = [TargetState(proxy_id=pk, target=domain) for pk in ids]
        TargetState.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
        states = TargetState.objects.filter(proxy__in=ids, target=domain)
        fresh = states.filter(blocked_until__isnull=True)
        fresh.update(blocked_until=until, blocked_for=Outcome.BLOCKED)
        states.update(blocked_until=Greatest(F("blocked_until"), until))
    return len(ids)


def liftable(states: QuerySet[TargetState]) -> QuerySet[TargetState]:
    """Return those that ``lift`` would change."""
    return states.filter(blocked_until__isnull=False)


def lift(states: QuerySet[TargetState]) -> int:
    """Let targets be visited again by the proxies they banned; return how many."""
    return liftable(states).update(blocked_until=None, blocked_for="", failures_in_row=0)


def reveal(proxy: Proxy, *, by: Caller) -> str:
    """Return the URL with the proxy's credentials; that somebody saw them is logged."""
    logger.info("credentials of a proxy revealed", extra={"by_user": by.user_id, "proxy": proxy.pk})
    return usable_url(
        proxy.scheme, proxy.host, proxy.port, username=proxy.username, password=proxy.password
    )
