"""Staff pages of webhooks, of what was sent to them, and of what billing systems said."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import webhooks
from accounts.models import BillingEvent, Webhook, WebhookDelivery
from project.core.admin import acts
from project.core.admin.asking import asking_back
from project.core.admin.pages import ReadOnly


@admin.register(Webhook)
class WebhookAdmin(ReadOnly):
    """Endpoints that users registered; their secrets are not shown."""

    list_display = ("url", "user", "events", "is_on", "created_at")
    list_filter = ("is_on",)
    list_select_related = ("user",)
    search_fields = ("url", "description", "user__email")
    fields = ("user", "url", "events", "description", "is_on", "created_at")
    actions = ("turn_off",)

    @admin.action(description="Turn the chosen webhooks off", permissions=["replay"])
    @asking_back(
        title="Turn these webhooks off?",
        text="Nothing more is sent to them; their owners can turn them on again.",
        yes="Turn off",
        count=lambda chosen: chosen.filter(is_on=True).count(),
    )
    def turn_off(self, request: HttpRequest, chosen: QuerySet[Webhook]) -> None:
        """Send nothing more to the chosen endpoints."""
        on = chosen.filter(is_on=True)
        acts.together(self, request, on, lambda: f"Turned {on.update(is_on=False)} webhook(s) off.")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_webhook")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly):
    """The log of webhooks."""

    list_display = (
        "event",
        "webhook",
        "status",
        "attempts",
        "status_code",
        "error",
        "created_at",
        "next_try_at",
    )
    list_filter = ("status", "event")
    list_select_related = ("webhook",)
    search_fields = ("webhook__url", "event", "event_id")
    fields = (
        "webhook",
        "event",
        "event_id",
        "status",
        "attempts",
        "status_code",
        "error",
        "created_at",
        "tried_at",
        "next_try_at",
        "replay_of",
        "payload",
    )
    actions = ("replay",)

    @admin.action(description="Send the chosen messages again", permissions=["replay"])
    @asking_back(
        title="Send these messages again?",
        text="Each is sent once more, with the same event id, as a delivery of its own.",
        yes="Send again",
        count=lambda chosen: chosen.count(),
    )
    def replay(self, request: HttpRequest, chosen: QuerySet[WebhookDelivery]) -> None:
        """Send each chosen message again, as a delivery of its own."""
        now = timezone.now()
        acts.each(
            self,
            request,
            list(chosen),
            lambda row: webhooks.replay(None, row.pk, now=now),
            what="Sent again",
        )

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_webhook")


@admin.register(BillingEvent)
class BillingEventAdmin(ReadOnly):
    """What a billing system said, and whether it changed a subscription."""

    list_display = ("event_id", "user", "plan", "is_applied", "occurred_at", "received_at")
    list_filter = ("is_applied",)
    list_select_related = ("user",)
    search_fields = ("event_id", "user__email", "plan")
    fields = ("event_id", "user", "plan", "is_applied", "occurred_at", "received_at")
