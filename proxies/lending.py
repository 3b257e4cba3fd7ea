"""Lending proxies: which one a holder gets, to whom it then belongs until the lease ends."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import quotas
from project.core import statements, tracing
from project.core.callers import Caller
from project.core.errors import FieldProblem, InvalidInputError, TransientError
from proxies import claiming, identity, mending, metrics, picking, policies
from proxies.choices import LeaseState, Pool, Scheme
from proxies.models import Lease, Proxy, StickySession
from proxies.models.pool import usable_url
from proxies.policies import Policy

SHORTEST_TTL_S: Final = 1.0
LONGEST_TTL: Final = timedelta(hours=1)
_TRIES: Final = 3
#: What clients are told to wait when nothing will come back soon by itself.
COME_BACK_AFTER: Final = timedelta(seconds=5)


class NoProxyAvailableError(TransientError):
    """No proxy that will do is free; ``retry_after_s`` says when one may be."""

    code = "no_proxy_available"
    title = "No proxy is available"


class BadLeaseRequestError(InvalidInputError):
    """A lease can't be had with these wishes, ever."""

    code = "bad_lease_request"
    title = "The lease can't be had"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for.

    Attributes:
        target: host name to be visited; bans count per registered domain.
        pool: ``hot``, ``warm`` or ``cold``; empty: the best that has a free one.
        protocol: ``http``, ``https`` (reaches TLS sites), ``socks4``, ``socks5``; empty: any.
        country: ISO code of where it leaves from.
        min_score: 0 to 100.
        ttl_s: seconds until the lease ends unless renewed; None: as the pool's policy says.
        request_id: asking again with the same one gives the same lease while it stands.
        session: several leases of one session get the same proxy while it is healthy.
        holder: who asks, for staff; the user where it is empty.
    """

    target: str = ""
    pool: str = ""
    protocol: str = ""
    country: str = ""
    min_score: float | None = None
    ttl_s: float | None = None
    request_id: str = ""
    session: str = ""
    holder: str = ""

    def holder_of(self, by: Caller) -> str:
        """Return who holds the lease, for staff and for request ids."""
        return self.holder or f"user:{by.user_id}"


@dataclass(frozen=True, slots=True)
class Granted:
    """A lease: the right to use one proxy until ``expires_at``."""

    id: int
    token: uuid.UUID
    proxy_id: int
    scheme: str
    host: str
    port: int
    username: str = field(repr=False)
    password: str = field(repr=False)
    country: str
    exit_ip: str
    acquired_at: datetime
    expires_at: datetime
    reused: bool

    @property
    def proxy_url(self) -> str:
        """What clients take as their proxy; a secret where the proxy has a password."""
        login = {"username": self.username, "password": self.password}
        return usable_url(self.scheme, self.host, self.port, **login)


def acquire(ask: Ask, *, by: Caller, now: datetime) -> Granted:
    """Lend the best of the longest rested proxies that will do.

    Raises:
        NoProxyAvailableError: none is free; worth trying again after ``retry_after_s``.
        BadLeaseRequestError: the wishes make no sense.
        HeldQuotaError: the caller holds as many as their plan allows.
    """
    require_sense(ask)
    with tracing.span("proxies.lease"):
        found = _lend(ask, by=by, now=now)
    if found is None:
        metrics.LEASE_REQUESTS.labels("none").inc()
        wait = claiming.free_after(now=now, at_most=COME_BACK_AFTER)
        raise NoProxyAvailableError(
            "no proxy that will do is free", retry_after_s=wait.total_seconds()
        )
    metrics.LEASE_REQUESTS.labels("reused" if found.reused else "granted").inc()
    return found


def require_sense(ask: Ask) -> None:
    """Refuse wishes that can't be fulfilled, ever.

    Raises:
        BadLeaseRequestError: an unknown pool or protocol, a target that is no host name, or an
            impossible time.
    """
    wrong = []
    if ask.pool and ask.pool not in Pool.values:
        wrong.append(FieldProblem("pool", "invalid_choice", f"one of {', '.join(Pool.values)}"))
    if ask.protocol and ask.protocol not in Scheme.values:
        known = ", ".join(Scheme.values)
        wrong.append(FieldProblem("protocol", "invalid_choice", f"one of {known}"))
    if ask.ttl_s is not None and not SHORTEST_TTL_S <= ask.ttl_s <= LONGEST_TTL.total_seconds():
        most = f"{SHORTEST_TTL_S:g} to {LONGEST_TTL.total_seconds():g} seconds"
        wrong.append(FieldProblem("ttl", "out_of_range", most))
    if ask.target and not identity.is_target(ask.target):
        wrong.append(FieldProblem("target", "invalid", "a host name or an address of the web"))
    if wrong:
        raise BadLeaseRequestError("; ".join(one.detail for one in wrong), fields=tuple(wrong))


def _lend(ask: Ask, *, by: Caller, now: datetime) -> Granted | None:
    """Return a new lease, or the one that the same request got; mend what disagrees."""
    for _ in range(_TRIES):
        try:
            return _lend_once(ask, by=by, now=now)
        except IntegrityError:
            if not mending.mend(now=now):
                raise
    raise RuntimeError("leases and their slots disagree again and again")


def _lend_once(ask: Ask, *, by: Caller, now: datetime) -> Granted | None:
    if not _is_one_statement(ask, by):
        with transaction.atomic():
            return _lend_whole(ask, by=by, now=now)
    chain = policies.chain(ask.pool)
    if any(policy.uses_per_window for policy in chain):
        with transaction.atomic():
            return _lend_whole(ask, by=by, now=now)
    return _granted_new(_first_of(chain, _wish(ask), ask, by, now=now))


def _is_one_statement(ask: Ask, by: Caller) -> bool:
    """Say whether the one statement of a claim is all there is to do."""
    return statements.is_postgres() and not (ask.request_id or ask.session or _has_quota(by))


def _has_quota(by: Caller) -> bool:
    return by.user_id is not None and not (by.allowance and by.allowance.is_unlimited)


def _lend_whole(ask: Ask, *, by: Caller, now: datetime) -> Granted | None:
    """Lend in the transaction at hand."""
    if ask.request_id and (again := _standing(ask.holder_of(by), ask.request_id, now=now)):
        return again
    if _has_quota(by):
        quotas.require(quotas.LEASES_AT_ONCE, user_id=by.user_id, now=now)
    wish = _wish(ask)
    if ask.session:
        wish = replace(wish, proxy_id=_proxy_of_session(ask, by, wish.target, now=now))
    found = _first_of(policies.chain(ask.pool), wish, ask, by, now=now)
    if found is not None and ask.session:
        _stay(ask.holder_of(by), ask.session, found[0].proxy_id, now=now)
    return _granted_new(found)


def _wish(ask: Ask) -> picking.Wish:
    return picking.Wish(
        target=identity.target_of(ask.target),
        protocol=ask.protocol,
        country=ask.country.upper(),
        min_score=ask.min_score,
    )


def _standing(holder: str, request_id: str, *, now: datetime) -> Granted | None:
    """Return the lease that the same request got before, while it stands.

    One that ran out is ended: its request id is free again.
    """
    claiming.wait_for_request(holder, request_id)
    known = Lease.objects.active().filter(holder=holder, request_id=request_id)
    lease = known.select_related("proxy").first()
    if lease is None:
        return None
    if lease.expires_at > now:
        return granted(lease, lease.proxy, reused=True)
    expire(known, now=now)
    return None


def granted(lease: Lease, proxy: Proxy, *, reused: bool) -> Granted:
    """Return a lease as its holder gets it."""
    return Granted(
        id=lease.pk,
        token=lease.token,
        proxy_id=lease.proxy_id,
        scheme=proxy.scheme,
        host=proxy.host,
        port=proxy.port,
        username=proxy.username,
        password=proxy.password,
        country=proxy.country,
        exit_ip=proxy.exit_ip,
        acquired_at=lease.acquired_at,
        expires_at=lease.expires_at,
        reused=reused,
    )


Found = tuple[claiming.Claimed, claiming.Draft, Policy]


def _granted_new(found: Found | None) -> Granted | None:
    """Return a new lease as its holder gets it, and count it."""
    if found is None:
        return None
    claimed, draft, policy = found
    metrics.LEASED.labels(policy.pool).inc()
    if claimed.has_expired:
        metrics.EXPIRED.inc()
    return Granted(
        id=claimed.lease_id,
        token=draft.token,
        proxy_id=claimed.proxy_id,
        scheme=claimed.scheme,
        host=claimed.host,
        port=claimed.port,
        username=claimed.username,
        password=claimed.password,
        country=claimed.country,
        exit_ip=claimed.exit_ip,
        acquired_at=draft.now,
        expires_at=draft.until,
        reused=False,
    )


def _first_of(
    chain: list[Policy], wish: picking.Wish, ask: Ask, by: Caller, *, now: datetime
) -> Found | None:
    """Claim a slot in the first pool that has one."""
    for policy in chain:
        draft = claiming.Draft(
            token=uuid.uuid4(),
            holder=ask.holder_of(by),
            until=now + timedelta(seconds=ask.ttl_s or policy.lease_ttl_s),
            now=now,
            user_id=by.user_id,
            request_id=ask.request_id,
            session=ask.session,
        )
        claimed = _claim(wish, policy, draft)
        if claimed is not None:
            return claimed, draft, policy
    return None


def _claim(wish: picking.Wish, policy: Policy, draft: claiming.Draft) -> claiming.Claimed | None:
    """Claim a slot; give up one whose proxy rivals used up in that moment."""
    if not policy.uses_per_window:
        return claiming.claim(wish, policy, draft)
    for _ in range(_TRIES):
        with transaction.atomic():
            claimed = claiming.claim(wish, policy, draft)
            if claimed is None or not claiming.is_overused(claimed, wish, policy, draft):
                return claimed
            transaction.set_rollback(True)
    return None


def _proxy_of_session(ask: Ask, by: Caller, target: str, *, now: datetime) -> int | None:
    """Return the proxy with which a session stays; None where it may have another."""
    will_do = Proxy.objects.healthy().open_to(target, at=now).filter(rest_until__lte=now)
    if ask.protocol:
        will_do = will_do.speaking(ask.protocol)
    for name, value in (
        ("pool", ask.pool),
        ("country", ask.country.upper()),
        ("score__gte", ask.min_score),
    ):
        if value not in ("", None):
            will_do = will_do.filter(**{name: value})
    own = StickySession.objects.filter(holder=ask.holder_of(by), session=ask.session)
    found = will_do.filter(pk__in=own.values("proxy"))
    return found.values_list("pk", flat=True).first()


def _stay(holder: str, session: str, proxy_id: int, *, now: datetime) -> None:
    """Let a session stay with the proxy that it got."""
    StickySession.objects.update_or_create(
        holder=holder, session=session, defaults={"proxy_id": proxy_id, "used_at": now}
    )


def expire(leases: QuerySet[Lease], *, now: datetime) -> int:
    """Call active leases expired, and count them once the transaction holds."""
    ended = leases.filter(state=LeaseState.ACTIVE).update(state=LeaseState.EXPIRED, ended_at=now)
    if ended:
        transaction.on_commit(lambda: metrics.EXPIRED.inc(ended))
    return ended


def held_by(user_id: int, now: datetime) -> int:
    """Return how many leases of a user stand: what the plan's quota counts."""
    values = {"user_id": user_id, "now": statements.moment(now)}
    row = statements.one(_HELD, values)
    return int(row[0]) if row else 0


_HELD: Final = """SELECT count(*) FROM proxies_lease
WHERE requested_by_id = %(user_id)s AND state = 'active' AND expires_at > %(now)s"""
