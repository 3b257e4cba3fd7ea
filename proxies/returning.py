"""Ending leases: renewed, given back with an outcome, run out, or ended by staff."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from project.core.callers import Caller
from project.core.errors import ConflictError, NotFoundError
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


def find(lease_id: int, *, by: Caller) -> Lease:
    """Return the lease that ``by`` may know of.

    Raises:
        LeaseNotFoundError: no such lease, or a stranger's.
    """
    found = Lease.objects.visible_to(by).select_related("proxy").filter(pk=lease_id).first()
    if found is None:
        raise LeaseNotFoundError(f"no lease {lease_id}")
    return found


def renew(lease: Lease, *, token: uuid.UUID, ttl_s: float | None, now: datetime) -> Granted:
    """Keep a lease until ``now + ttl_s``, or for the time that its pool's policy gives.

    Raises:
        StaleTokenError: the token is another's, or the lease ran out or was given back.
        BadLeaseRequestError: the time makes no sense.
    """
    lending.require_sense(lending.Ask(ttl_s=ttl_s))
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
    lease.refresh_from_db()
    return lending.granted(lease, lease.proxy, reused=False)


def release(lease: Lease, report: Report, *, token: uuid.UUID, now: datetime) -> Lease:
    """Give a proxy back and say what came of it; the second time changes nothing.

    A release after the lease ran out is recorded, as late, and still tells of the proxy.

    Raises:
        StaleTokenError: the token is another's.
    """
    if token != lease.token:
        metrics.REUSE_ATTEMPTS.inc()
        raise StaleTokenError("the token is not this lease's")
    with transaction.atomic():
        slot = LeaseSlot.objects.filter(token=token)
        slot.update(token=None, held_until=None, proxy=None)
        is_first = _write_release(lease, report, now=now)
        if is_first:
            lease.refresh_from_db()
            reporting.learn(lease, now=now)
    if not is_first:
        lease.refresh_from_db()
        return lease
    _count_release(lease)
    return lease


def _write_release(lease: Lease, report: Report, *, now: datetime) -> bool:
    facts: dict[str, Any] = {
        "released_at": now,
        "outcome": report.outcome,
        "status_code": report.status_code,
        "latency_ms": report.latency_ms,
        "size_bytes": report.size_bytes,
    }
    row = Lease.objects.filter(pk=lease.pk, released_at__isnull=True)
    in_time = row.standing(at=now)
    if in_time.update(**facts, state=LeaseState.RELEASED, ended_at=now):
        return True
    lending.expire(row.run_out(at=now), now=now)
    return bool(row.update(**facts, is_late=True))


def _count_release(lease: Lease) -> None:
    if lease.released_at is not None:
        metrics.HOLD.observe((lease.released_at - lease.acquired_at).total_seconds())
    if not lease.is_late:
        metrics.RETURNED_EARLY.inc()


def revoke(leases: QuerySet[Lease], *, now: datetime) -> int:
    """End standing leases of others, for staff; return how many."""
    found = list(leases.filter(state=LeaseState.ACTIVE).values_list("pk", "token"))
    with transaction.atomic():
        slots = LeaseSlot.objects.filter(token__in=[token for _, token in found])
        slots.update(token=None, held_until=None, proxy=None)
        active = Lease.objects.active().filter(pk__in=[pk for pk, _ in found])
        return active.update(state=LeaseState.REVOKED, ended_at=now)
