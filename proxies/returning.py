"""Ending leases: renewed, given back with an outcome, run out, or ended by staff."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet

from project.core import statements
from project.core.callers import Caller
from project.core.errors import ConflictError, NotFoundError
from project.core.moments import read
from project.core.statements import Row
from proxies import lending, metrics, policies, reporting
from proxies.choices import LeaseState
from proxies.lending import Granted
from proxies.models import Lease, LeaseSlot


class StaleTokenError(ConflictError):
    """The token isn't that of a standing lease; somebody else may hold the proxy by now."""

    code = "stale_token"
    title = "The lease's token is stale"


class LeaseNotFoundError(NotFoundError):
    """There is no such lease, or the caller may not know of it."""

    title = "No such lease"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a lease.

    Attributes:
        outcome: one of ``Outcome``; empty blames and praises nobody.
    """

    outcome: str = ""
    status_code: int | None = None
    latency_ms: float | None = None
    size_bytes: int | None = None


def expire(leases: list[tuple[int, uuid.UUID]], *, now: datetime) -> int:
    """End leases that ran out, each ``(id, token)``, and free their slots; return how many.

    One that was renewed since it was looked up stays.
    """
    with transaction.atomic():
        run_out = LeaseSlot.objects.run_out(at=now).filter(token__in=[each[1] for each in leases])
        run_out.update(token=None, held_until=None, proxy=None)
        found = Lease.objects.run_out(at=now).filter(pk__in=[each[0] for each in leases])
        return lending.expire(found, now=now)


@dataclass(frozen=True, slots=True)
class Released:
    """When a proxy was given back, and whether that was after the lease had run out."""

    released_at: datetime
    is_late: bool


def find(lease_id: int, *, by: Caller) -> Lease:
    """Return the lease that ``by`` may know of.

    Raises:
        LeaseNotFoundError: no such lease, or a stranger's.
    """
    found = Lease.objects.visible_to(by).select_related("proxy").filter(pk=lease_id).first()
    if found is None:
        raise LeaseNotFoundError(f"no lease {lease_id}")
    return found


def renew(
    lease_id: int, *, token: uuid.UUID, ttl_s: float | None, by: Caller, now: datetime
) -> Granted:
    """Keep a lease until ``now + ttl_s``, or for the time that its pool's policy gives.

    Raises:
        LeaseNotFoundError: no such lease, or a stranger's.
        StaleTokenError: the token is another's, or the lease ran out or was given back.
        BadLeaseRequestError: the time makes no sense.
    """
    lending.require_sense(lending.Ask(ttl_s=ttl_s))
    lease = find(lease_id, by=by)
    if ttl_s is None:
        ttl_s = policies.of(lease.pool).lease_ttl_s
    until = now + timedelta(seconds=ttl_s)
    with transaction.atomic():
        slot = LeaseSlot.objects.held(at=now).filter(token=token)
        if token != lease.token or not slot.update(held_until=until):
            metrics.REUSE_ATTEMPTS.inc()
            raise StaleTokenError("this lease has run out, or was given back, or is another's")
        row = Lease.objects.filter(pk=lease.pk)
        row.update(expires_at=until, renewals=F("renewals") + 1)
    lease.expires_at = until
    return lending.granted(lease, lease.proxy, reused=False)


_FREE: Final = """
UPDATE proxies_leaseslot SET token = NULL, held_until = NULL, proxy_id = NULL
WHERE token = %(token)s AND EXISTS (
  SELECT 1 FROM proxies_lease l WHERE l.id = %(id)s AND l.token = %(token)s{own})"""
#: The first release alone is written; one that comes late ends the lease as run out.
_RELEASE: Final = """
UPDATE proxies_lease
SET state = CASE WHEN state <> 'active' THEN state
                 WHEN expires_at > %(now)s THEN 'released' ELSE 'expired' END,
    is_late = (state <> 'active' OR expires_at <= %(now)s),
    ended_at = COALESCE(ended_at, %(now)s),
    released_at = %(now)s, outcome = %(outcome)s, status_code = %(status_code)s,
    latency_ms = %(latency_ms)s, size_bytes = %(size_bytes)s
WHERE id = %(id)s AND token = %(token)s AND released_at IS NULL{own}
RETURNING proxy_id, pool, target, acquired_at, is_late, state, ended_at"""


def release(
    lease_id: int, report: Report, *, token: uuid.UUID, by: Caller, now: datetime
) -> Released:
    """Give a proxy back and say what came of it; the second time changes nothing.

    A release after the lease ran out is recorded, as late, and still tells of the proxy.

    Raises:
        LeaseNotFoundError: no such lease, or a stranger's.
        StaleTokenError: the token is another's.
    """
    values = {
        "id": lease_id,
        "token": statements.token(token),
        "now": statements.moment(now),
        "user_id": by.user_id,
        "outcome": report.outcome,
        "status_code": report.status_code,
        "latency_ms": report.latency_ms,
        "size_bytes": report.size_bytes,
    }
    own = "" if by.is_staff else " AND requested_by_id = %(user_id)s"
    with transaction.atomic():
        statements.change(_FREE.format(own=own), values)  # before the lease, as everywhere
        row = statements.one(_RELEASE.format(own=own), values)
        if row is not None:
            told = _told(row, report)
            reporting.learn(told, now=now)
    if row is None:
        return _released_before(lease_id, token, by=by)
    _count_release(row, now=now)
    return Released(now, bool(row[4]))


def _told(row: Row, report: Report) -> reporting.Told:
    proxy_id, pool, target, *_ = row
    return reporting.Told(proxy_id, report.outcome, pool, target, report.latency_ms)


def _released_before(lease_id: int, token: uuid.UUID, *, by: Caller) -> Released:
    lease = find(lease_id, by=by)
    if token != lease.token or lease.released_at is None:
        metrics.REUSE_ATTEMPTS.inc()
        raise StaleTokenError("the token is not this lease's")
    return Released(lease.released_at, lease.is_late)


def _count_release(row: Row, *, now: datetime) -> None:
    _, _, _, acquired_at, is_late, state, ended_at = row
    held = now - (read(acquired_at) or now)
    metrics.HOLD.observe(held.total_seconds())
    if not is_late:
        metrics.RETURNED_EARLY.inc()
    elif state == LeaseState.EXPIRED and read(ended_at) == now:  # nobody had ended it before
        metrics.EXPIRED.inc()


def revoke(leases: QuerySet[Lease], *, now: datetime) -> int:
    """End standing leases of others, for staff; return how many."""
    found = list(leases.filter(state=LeaseState.ACTIVE).values_list("pk", "token"))
    with transaction.atomic():
        slots = LeaseSlot.objects.filter(token__in=[token for _, token in found])
        slots.update(token=None, held_until=None, proxy=None)
        active = Lease.objects.active().filter(pk__in=[pk for pk, _ in found])
        return active.update(state=LeaseState.REVOKED, ended_at=now)
