"""Sets of sources, proxies and leases; every method narrows, orders or annotates."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, FilteredRelation, Q

from proxies.choices import CHECKED, DeliveryState, LeaseState, ProxyState, Scheme

if TYPE_CHECKING:
    from project.core.callers import Caller
    from proxies.models import (  # noqa: F401 -- in strings
        Delivery,
        Lease,
        LeaseSlot,
        PoolSnapshot,
        Proxy,
        ProxySource,
    )


class ProxySourceQuerySet(models.QuerySet["ProxySource"]):
    """Sets of sources."""

    def enabled(self) -> Self:
        """Sources that are fetched by themselves."""
        return self.filter(is_enabled=True)

    def due(self, *, at: datetime) -> Self:
        """Enabled sources whose time has come, the longest overdue first."""
        unfetched = Q(next_fetch_at__isnull=True)
        found = self.enabled().filter(unfetched | Q(next_fetch_at__lte=at))
        return found.order_by(F("next_fetch_at").asc(nulls_first=True), "pk")


class ProxyQuerySet(models.QuerySet["Proxy"]):
    """Sets of proxies."""

    def healthy(self) -> Self:
        """Proxies that passed their last checks."""
        return self.filter(state=ProxyState.HEALTHY)

    def checked(self) -> Self:
        """Proxies that validation looks at."""
        return self.filter(state__in=CHECKED)

    def unchecked_since(self, moment: datetime) -> Self:
        """Proxies with no check since ``moment``: never checked first, then the stalest."""
        stale = Q(last_checked_at__isnull=True) | Q(last_checked_at__lt=moment)
        return self.filter(stale).order_by(F("last_checked_at").asc(nulls_first=True), "pk")

    def due(self, *, at: datetime) -> Self:
        """Proxies whose next check is due."""
        return self.filter(check_due_at__lte=at)

    def speaking(self, protocol: str) -> Self:
        """Proxies that serve ``protocol``; ``https`` is whatever reaches TLS sites by CONNECT."""
        if protocol == Scheme.HTTPS:
            return self.filter(Q(scheme=Scheme.HTTPS) | Q(scheme=Scheme.HTTP, tls_ok=True))
        return self.filter(scheme=protocol)

    def open_to(self, target: str, *, at: datetime) -> Self:
        """Proxies that aren't cooling down at ``target``, a registered domain."""
        now = Q(targets__target=target, targets__blocked_until__gt=at)
        cooling = FilteredRelation("targets", condition=now)
        return self.alias(cooling=cooling).filter(cooling__isnull=True)


class LeaseSlotQuerySet(models.QuerySet["LeaseSlot"]):
    """Sets of slots."""

    def held(self, *, at: datetime) -> Self:
        """Slots that somebody holds at ``at``."""
        return self.filter(held_until__gt=at)

    def run_out(self, *, at: datetime) -> Self:
        """Slots with a claim that has run out."""
        return self.filter(held_until__lte=at)


class LeaseQuerySet(models.QuerySet["Lease"]):
    """Sets of leases."""

    def active(self) -> Self:
        """Leases neither given back nor known to have run out."""
        return self.filter(state=LeaseState.ACTIVE)

    def standing(self, *, at: datetime) -> Self:
        """Active leases whose time hasn't run out at ``at``."""
        return self.active().filter(expires_at__gt=at)

    def run_out(self, *, at: datetime) -> Self:
        """Leases still called active whose time has run out."""
        return self.active().filter(expires_at__lte=at)

    def visible_to(self, caller: "Caller") -> Self:
        """Leases that ``caller`` may know of: all for staff, else their own."""
        if caller.is_staff:
            return self
        return self.filter(requested_by_id=caller.user_id) if caller.user_id else self.none()


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Sets of deliveries."""

    def waiting(self) -> Self:
        """Deliveries that have not arrived yet, the oldest first."""
        return self.filter(state=DeliveryState.WAITING).order_by("pk")

    def sent_before(self, moment: datetime) -> Self:
        """Deliveries that arrived before ``moment``."""
        return self.filter(state=DeliveryState.SENT, sent_at__lt=moment)


class PoolSnapshotQuerySet(models.QuerySet["PoolSnapshot"]):
    """Sets of moments of the pools' history."""

    def since(self, second: int) -> Self:
        """Those from ``second`` (since 1970) on, the oldest first."""
        return self.filter(second__gte=second).order_by("second")
