"""What the installation tells others of its pool, and what others told it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from proxies.choices import DeliveryState
from proxies.querysets import DeliveryQuerySet


class Delivery(models.Model):
    """One snapshot on its way to the ETL endpoint: it stays here until it has arrived."""

    key = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False, help_text="the Idempotency-Key it goes by"
    )
    payload = models.JSONField(editable=False)
    made_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(
        max_length=7, choices=DeliveryState, default=DeliveryState.WAITING, editable=False
    )
    tries = models.PositiveIntegerField(default=0, editable=False)
    last_try_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    took_s = models.FloatField(null=True, blank=True, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    destination = models.CharField(max_length=300, blank=True, editable=False)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        verbose_name_plural = "deliveries"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                name="delivery_was_sent_at_some_moment",
                condition=Q(state=DeliveryState.WAITING, sent_at__isnull=True)
                | Q(state=DeliveryState.SENT, sent_at__isnull=False),
            ),
        ]
        indexes = [
            # syncing: the outbox, the oldest first
            models.Index(
                fields=["id"], name="delivery_waiting", condition=Q(state=DeliveryState.WAITING)
            ),
            # syncing: forgetting the sent ones
            models.Index(fields=["sent_at"], name="delivery_age"),
        ]

    def __str__(self) -> str:
        return f"snapshot of {self.made_at:%Y-%m-%d %H:%M:%S}"


class ReceivedSnapshot(models.Model):
    """What another installation told us of its pool."""

    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    key = models.CharField(max_length=200, help_text="its Idempotency-Key, else of its content")
    digest = models.CharField(max_length=64, editable=False)
    version = models.CharField(max_length=100)
    commit = models.CharField(max_length=100, blank=True)
    taken_at = models.DateTimeField(help_text="when the other installation looked")
    pools = models.JSONField()
    sources = models.JSONField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Rules kept by the database."""

        ordering = ("-id",)
        constraints = [
            # receiving.take: what comes twice is kept once
            models.UniqueConstraint(fields=["sender", "key"], name="received_once"),
        ]
        indexes = [
            # receiving: forgetting the old ones
            models.Index(fields=["received_at"], name="received_age"),
        ]

    def __str__(self) -> str:
        return f"snapshot of {self.taken_at:%Y-%m-%d %H:%M:%S}, version {self.version}"
