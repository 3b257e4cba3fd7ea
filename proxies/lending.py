"""Lending proxies: which one a holder gets, to whom it then belongs until the lease ends."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from project.core.callers import Caller
from project.core.errors import FieldProblem, InvalidInputError, TransientError
from proxies import claiming, identity, metrics, policies
from proxies.choices import LeaseState, Pool, Scheme
from proxies.models import Lease, PoolPolicy, Proxy, StickySession, TargetState
from proxies.models.pool import usable_url

LONGEST_TTL: Final = timedelta(hours=1)
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
    """
    require_sense(ask)
    holder = ask.holder or f"user:{by.user_id}"
    found = _standing(holder, ask.request_id, now=now)
    found = found or _lend(ask, holder, by=by, now=now)
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
        BadLeaseRequestError: an unknown pool or protocol, or an impossible time.
    """
    wrong = []
    if ask.pool and ask.pool not in Pool.values:
        wrong.append(FieldProblem("pool", "invalid_choice", f"one of {', '.join(Pool.values)}"))
    if ask.protocol and ask.protocol not in Scheme.values:
        known = ", ".join(Scheme.values)
        wrong.append(FieldProblem("protocol", "invalid_choice", f"one of {known}"))
    if ask.ttl_s is not None and not 0 < ask.ttl_s <= LONGEST_TTL.total_seconds():
        most = f"more than 0, at most {LONGEST_TTL.total_seconds():g} seconds"
        wrong.append(FieldProblem("ttl", "out_of_range", most))
    if wrong:
        raise BadLeaseRequestError("; ".join(one.detail for one in wrong), fields=tuple(wrong))


def _standing(holder: str, request_id: str, *, now: datetime) -> Granted | None:
    """Return the lease that the same request got before, while it stands."""
    if not request_id:
        return None
    found = Lease.objects.standing(at=now).filter(holder=holder, request_id=request_id)
    lease = found.select_related("proxy").first()
    return granted(lease, lease.proxy, reused=True) if lease else None


def granted(lease: Lease, proxy: Any, *, reused: bool) -> Granted:
    """Return a lease as its holder gets it; ``proxy`` is the row, or what was read of it."""
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


def _lend(ask: Ask, holder: str, *, by: Caller, now: datetime) -> Granted | None:
    """Return a new lease, or the one that a rival with the same request got meanwhile."""
    chain = policies.chain(ask.pool)
    target = identity.target_of(ask.target)
    with transaction.atomic():
        if ask.request_id:
            claiming.wait_for_request(holder, ask.request_id)
            if again := _standing(holder, ask.request_id, now=now):
                return again
            _close_run_out(holder, ask.request_id, now=now)
        claimed, lease = _first_of(chain, ask, (holder, target), now=now)
        if claimed is None or lease is None:
            return None
        lease.requested_by_id = by.user_id
        _record(lease, claimed, now=now)
    metrics.LEASED.labels(lease.pool).inc()
    return granted(lease, claimed, reused=False)


def _first_of(
    chain: list[PoolPolicy], ask: Ask, who: tuple[str, str], *, now: datetime
) -> tuple[claiming.Claimed | None, Lease | None]:
    """Claim a slot in the first pool that has one, and return the lease to be written."""
    holder, target = who
    wish = claiming.Wish(
        target=target,
        protocol=ask.protocol,
        country=ask.country.upper(),
        min_score=ask.min_score,
        proxy_id=_proxy_of_session(ask, holder, target, now=now),
    )
    for policy in chain:
        token = uuid.uuid4()
        until = now + timedelta(seconds=ask.ttl_s or policy.lease_ttl_s)
        claimed = claiming.claim(wish, policy, token=token, until=until, now=now)
        if claimed is not None:
            lease = Lease(
                token=token,
                exclusive_key=claimed.exclusive_key,
                n=claimed.n,
                proxy_id=claimed.proxy_id,
                pool=policy.pool,
                target=target,
                holder=holder,
                request_id=ask.request_id,
                session=ask.session,
                acquired_at=now,
                expires_at=until,
            )
            return claimed, lease
    return None, None


def _proxy_of_session(ask: Ask, holder: str, target: str, *, now: datetime) -> int | None:
    """Return the proxy with which a session stays; None where it may have another."""
    if not ask.session:
        return None
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
    own = StickySession.objects.filter(holder=holder, session=ask.session)
    found = will_do.filter(pk__in=own.values("proxy"))
    return found.values_list("pk", flat=True).first()


def _record(lease: Lease, claimed: claiming.Claimed, *, now: datetime) -> None:
    """Write the lease and what follows from it, in the transaction of the claim."""
    if claimed.old_token is not None:
        expire(Lease.objects.filter(token=claimed.old_token), now=now)
    if lease.target:
        TargetState.objects.bulk_create(
            [TargetState(proxy_id=lease.proxy_id, target=lease.target, last_lent_at=now)],
            update_conflicts=True,
            unique_fields=["proxy", "target"],
            update_fields=["last_lent_at"],
        )
    if lease.session:
        StickySession.objects.update_or_create(
            holder=lease.holder,
            session=lease.session,
            defaults={"proxy_id": lease.proxy_id, "used_at": now},
        )
    lease.save(force_insert=True)


def _close_run_out(holder: str, request_id: str, *, now: datetime) -> None:
    """End the lease that a request had before and let run out: its id is free again."""
    found = Lease.objects.run_out(at=now).filter(holder=holder, request_id=request_id)
    expire(found, now=now)


def expire(leases: QuerySet[Lease], *, now: datetime) -> int:
    """Call active leases expired, and count them once the transaction holds."""
    ended = leases.filter(state=LeaseState.ACTIVE).update(state=LeaseState.EXPIRED, ended_at=now)
    if ended:
        transaction.on_commit(lambda: metrics.EXPIRED.inc(ended))
    return ended
