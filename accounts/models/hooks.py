"""Whom the product tells what happens, and what was sent."""

from django.db import models

from accounts.choices import DeliveryStatus
from accounts.models.users import User
from accounts.querysets import DeliveryQuerySet
from project.core.encryption import EncryptedTextField


class Webhook(models.Model):
    """An endpoint that a user lets the product tell what happens."""

    user = models.ForeignKey(User, models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    description = models.CharField(max_length=200, blank=True)
    secret = EncryptedTextField(help_text="signs what is sent")
    is_on = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        """Order of lists."""

        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(models.Model):
    """One message to one webhook: the outbox while it waits, the log afterwards."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField(help_text="the same in a replay")
    event = models.CharField(max_length=60)
    payload = models.JSONField()
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    replay_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        """Rules kept by the database."""

        ordering = ("-created_at", "-pk")
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.CheckConstraint(
                name="webhook_delivery_waits_for_a_moment",
                condition=models.Q(status=DeliveryStatus.WAITING, next_try_at__isnull=False)
                | (~models.Q(status=DeliveryStatus.WAITING) & models.Q(next_try_at__isnull=True)),
            )
        ]
        indexes = [
            # the messages that delivering finds due
            models.Index(
                fields=["next_try_at"],
                name="webhook_delivery_due",
                condition=models.Q(status=DeliveryStatus.WAITING),
            ),
            # the log of a webhook, newest first
            models.Index(fields=["webhook", "-created_at", "-id"], name="webhook_delivery_log"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.event_id}"
