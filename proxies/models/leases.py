"""Lending: slots that hold the claims, the record of leases, what targets think of a proxy."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from proxies.choices import LeaseState, Mended, Outcome, Pool
from proxies.models.pool import Proxy, never
from proxies.querysets import LeaseQuerySet, LeaseSlotQuerySet


class LeaseSlot(models.Model):
    """The right to one lease at a time, and the claim on it: the row that is locked.

    A proxy's slots carry its ``exclusive_key``, so that proxies with one exit address can share
    them; a pool that lends a proxy n times uses the slots 0 to n - 1.
    """

    exclusive_key = models.CharField(max_length=330)
    n = models.PositiveSmallIntegerField(default=0)
    token = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    held_until = models.DateTimeField(null=True, blank=True, editable=False)
    proxy = models.ForeignKey(
        Proxy, models.SET_NULL, null=True, blank=True, related_name="slots", editable=False
    )

    objects = LeaseSlotQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("exclusive_key", "n")
        constraints = [
            # leasing.acquire joins by it
            models.UniqueConstraint(fields=["exclusive_key", "n"], name="slot_once"),
            models.CheckConstraint(
                name="slot_is_held_whole_or_not_at_all",
                condition=Q(token__isnull=True, held_until__isnull=True)
                | Q(token__isnull=False, held_until__isnull=False),
            ),
        ]
        indexes = [
            # leasing: when the next one comes back; expiring: those that ran out
            models.Index(
                fields=["held_until"], name="slot_held", condition=Q(held_until__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.exclusive_key} #{self.n}"


class Lease(models.Model):
    """The record that somebody had a proxy, and what came of it."""

    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    exclusive_key = models.CharField(max_length=330)
    n = models.PositiveSmallIntegerField()
    proxy = models.ForeignKey(Proxy, models.CASCADE, related_name="leases")
    pool = models.CharField(max_length=4, choices=Pool)
    target = models.CharField(max_length=255, blank=True, help_text="registered domain")
    holder = models.CharField(max_length=100)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    request_id = models.CharField(max_length=100, blank=True)
    session = models.CharField(max_length=100, blank=True)
    acquired_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    score = models.FloatField(null=True, blank=True, help_text="the proxy's, when it was chosen")
    rested_since = models.DateTimeField(
        null=True, blank=True, help_text="when the proxy had been lent before"
    )
    away_since = models.DateTimeField(
        null=True, blank=True, help_text="when it had been lent for this target before"
    )
    renewals = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=LeaseState, default=LeaseState.ACTIVE)
    ended_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    is_late = models.BooleanField(default=False, help_text="given back after it had run out")
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    latency_ms = models.FloatField(null=True, blank=True)
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True)

    objects = LeaseQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-id",)
        constraints = [
            # the last guard against lending twice, should a slot ever be handled wrongly
            models.UniqueConstraint(
                fields=["exclusive_key", "n"],
                condition=Q(state=LeaseState.ACTIVE),
                name="lease_active_once_per_slot",
            ),
            # asking again with the same request id gives the same lease
            models.UniqueConstraint(
                fields=["holder", "request_id"],
                condition=Q(state=LeaseState.ACTIVE) & ~Q(request_id=""),
                name="lease_active_once_per_request",
            ),
            models.CheckConstraint(
                name="lease_ended_at_says_it_ended",
                condition=Q(state=LeaseState.ACTIVE, ended_at__isnull=True)
                | (~Q(state=LeaseState.ACTIVE) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="lease_lasts", condition=Q(expires_at__gt=F("acquired_at"))
            ),
            models.CheckConstraint(
                name="lease_is_late_only_when_released",
                condition=Q(is_late=False) | Q(released_at__isnull=False),
            ),
        ]
        indexes = [
            # expiring: active ones that ran out; metrics: the oldest
            models.Index(
                fields=["expires_at"],
                name="lease_expiry",
                condition=Q(state=LeaseState.ACTIVE),
            ),
            # a user's own leases, newest first
            models.Index(fields=["requested_by", "-id"], name="lease_owner_newest"),
            # quotas: what a user holds now
            models.Index(
                fields=["requested_by", "expires_at"],
                name="lease_owner_active",
                condition=Q(state=LeaseState.ACTIVE),
            ),
            # a proxy's page: its latest leases
            models.Index(fields=["proxy", "-id"], name="lease_proxy_newest"),
            # charting: how the last day's leases went at each target, from the index alone
            models.Index(
                fields=["ended_at", "target", "outcome"],
                name="lease_ended",
                condition=Q(ended_at__isnull=False),
            ),
            # claiming: how often a proxy was lent in a window
            models.Index(fields=["proxy", "acquired_at"], name="lease_proxy_uses"),
        ]

    def __str__(self) -> str:
        return f"lease {self.pk} of {self.holder}"


class TargetState(models.Model):
    """How one proxy fares at one target: a ban there says nothing about other sites."""

    proxy = models.ForeignKey(Proxy, models.CASCADE, related_name="targets")
    target = models.CharField(max_length=255, help_text="registered domain")
    last_lent_at = models.DateTimeField(default=never)
    good_weight = models.FloatField(default=0, help_text="decayed weight of good outcomes")
    total_weight = models.FloatField(default=0, help_text="decayed weight of all outcomes")
    evidence_at = models.DateTimeField(null=True, blank=True)
    latency_ms = models.FloatField(null=True, blank=True, help_text="moving average")
    failures_in_row = models.PositiveIntegerField(default=0)
    last_outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    blocked_until = models.DateTimeField(null=True, blank=True)
    blocked_for = models.CharField(max_length=12, choices=Outcome, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="whether it reaches it")
    check_outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    check_detail = models.CharField(max_length=200, blank=True)
    check_failures = models.PositiveIntegerField(
        default=0, db_default=0, help_text="checks in a row that did not reach it"
    )

    class Meta:
        """Rules kept by the database."""

        ordering = ("target", "proxy")
        constraints = [
            # leasing.acquire joins by it
            models.UniqueConstraint(fields=["proxy", "target"], name="target_state_once"),
            models.CheckConstraint(
                name="target_block_has_a_reason",
                condition=Q(blocked_until__isnull=True) | ~Q(blocked_for=""),
            ),
        ]
        indexes = [
            # staff: who is blocked where
            models.Index(
                fields=["target", "blocked_until"],
                name="target_blocked",
                condition=Q(blocked_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"proxy {self.proxy_id} at {self.target}"


class StickySession(models.Model):
    """Which proxy a holder's session stays with while it is healthy."""

    holder = models.CharField(max_length=100)
    session = models.CharField(max_length=100)
    proxy = models.ForeignKey(Proxy, models.CASCADE, related_name="sessions")
    used_at = models.DateTimeField()

    class Meta:
        """Rules kept by the database."""

        ordering = ("holder", "session")
        constraints = [
            models.UniqueConstraint(fields=["holder", "session"], name="sticky_session_once"),
        ]
        indexes = [
            # forgetting: sessions nobody uses any more
            models.Index(fields=["used_at"], name="sticky_session_age"),
        ]

    def __str__(self) -> str:
        return f"{self.holder} {self.session}"


class Mending(models.Model):
    """A slot and a record of a lease that disagreed, and what was done about it."""

    at = models.DateTimeField()
    exclusive_key = models.CharField(max_length=330)
    n = models.PositiveSmallIntegerField()
    lease = models.ForeignKey(Lease, models.SET_NULL, null=True, blank=True, related_name="+")
    done = models.CharField(max_length=8, choices=Mended)

    class Meta:
        """Order of lists."""

        ordering = ("-id",)
        indexes = [
            # issues: lately; forgetting: long ago
            models.Index(fields=["at"], name="mending_age"),
        ]

    def __str__(self) -> str:
        return f"{self.exclusive_key} #{self.n}: {self.done}"
