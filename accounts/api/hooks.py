"""The caller's webhooks, and what was sent to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import webhooks
from accounts.api.access import read, user_of
from accounts.choices import DeliveryStatus
from accounts.models import Webhook, WebhookDelivery
from project.core.api.paging import Cursor
from project.core.api.permissions import InAccounts
from project.core.api.schema import problem
from project.core.api.serializers import Input

if TYPE_CHECKING:
    from rest_framework.request import Request

_PROBLEM = "application/problem+json"


class WebhookRequest(Input):
    """An endpoint to be told of events."""

    url = serializers.CharField(max_length=500, help_text="http or https, on a public address")
    events = serializers.ListField(
        child=serializers.CharField(max_length=60),
        max_length=50,
        help_text="`run.finished`, `gap.repaired`, `markets.alert_raised`, `markets.alert_closed`, `pool.low`",
    )
    description = serializers.CharField(
        max_length=200, required=False, allow_blank=True, default=""
    )


class WebhookChange(Input):
    """What of a webhook is to change."""

    url = serializers.CharField(max_length=500, required=False)
    events = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=50, required=False
    )
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    is_on = serializers.BooleanField(required=False)


class WebhookOut(serializers.ModelSerializer[Webhook]):
    """A webhook, without its secret."""

    events = serializers.ListField(child=serializers.CharField())
    url = serializers.CharField()

    class Meta:
        """Everything but the secret."""

        model = Webhook
        fields: tuple[str, ...] = ("id", "url", "events", "description", "is_on", "created_at")


class NewWebhookOut(WebhookOut):
    """A webhook just registered: ``secret``, which signs what is sent, is shown this once."""

    secret = serializers.CharField()

    class Meta(WebhookOut.Meta):
        """The webhook's fields, and the secret."""

        fields = (*WebhookOut.Meta.fields, "secret")


class DeliveryOut(serializers.Serializer[Any]):
    """One message to a webhook, and what came of it."""

    id = serializers.IntegerField()
    event_id = serializers.UUIDField(help_text="the same in a replay")
    event = serializers.CharField()
    status = serializers.ChoiceField(choices=DeliveryStatus.choices)
    attempts = serializers.IntegerField()
    status_code = serializers.IntegerField(allow_null=True, help_text="the receiver's last answer")
    error = serializers.CharField(allow_blank=True, help_text="why there was no answer")
    created_at = serializers.DateTimeField()
    tried_at = serializers.DateTimeField(allow_null=True)
    next_try_at = serializers.DateTimeField(allow_null=True)
    replay_of = serializers.IntegerField(allow_null=True, source="replay_of_id")
    payload = serializers.JSONField()


class WebhookPages(Cursor):
    """Webhooks, the newest first."""

    ordering = ("-created_at", "-pk")


class Webhooks(APIView):
    """The caller's webhooks."""

    permission_classes = (InAccounts,)
    pagination_class = WebhookPages

    @extend_schema(
        operation_id="webhooks_list",
        summary="List own webhooks",
        responses={200: WebhookOut(many=True)},
    )
    def get(self, request: Request) -> Response:
        pages = self.pagination_class()
        rows = Webhook.objects.filter(user=user_of(request))
        page: Any = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(WebhookOut(page, many=True).data)

    @extend_schema(
        operation_id="webhooks_create",
        summary="Register a webhook; its secret is shown this once",
        request=WebhookRequest,
        responses={
            201: NewWebhookOut,
            (409, _PROBLEM): problem("too_many_webhooks", 409, "Too many webhooks"),
        },
    )
    def post(self, request: Request) -> Response:
        asked = read(WebhookRequest, request)
        made = webhooks.create(user_of(request), **asked, now=timezone.now())
        body = {**WebhookOut(made.webhook).data, "secret": made.secret}
        return Response(body, status=status.HTTP_201_CREATED)


class OneWebhook(APIView):
    """One of the caller's webhooks."""

    permission_classes = (InAccounts,)

    @extend_schema(
        operation_id="webhooks_change",
        summary="Change a webhook, or turn it off",
        request=WebhookChange,
        responses={200: WebhookOut},
    )
    def patch(self, request: Request, webhook_id: int) -> Response:
        asked = read(WebhookChange, request)
        row = webhooks.change(webhooks.find(user_of(request), webhook_id), asked)
        return Response(WebhookOut(row).data)

    @extend_schema(
        operation_id="webhooks_delete",
        summary="Delete a webhook and its log",
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, webhook_id: int) -> Response:
        webhooks.find(user_of(request), webhook_id).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeliveryPages(Cursor):
    """Deliveries, the newest first."""

    ordering = ("-created_at", "-pk")


class Deliveries(APIView):
    """What was sent to a webhook."""

    permission_classes = (InAccounts,)
    pagination_class = DeliveryPages

    @extend_schema(
        operation_id="webhook_deliveries",
        summary="List what was sent to an own webhook, and what came of it",
        responses={200: DeliveryOut(many=True)},
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        pages = self.pagination_class()
        webhook = webhooks.find(user_of(request), webhook_id)
        rows = WebhookDelivery.objects.filter(webhook=webhook)
        page: Any = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(DeliveryOut(page, many=True).data)


class Replay(APIView):
    """One delivery, sent again."""

    permission_classes = (InAccounts,)

    @extend_schema(
        operation_id="webhook_replay",
        summary="Send a message again: a new delivery with the same event id",
        request=None,
        responses={202: DeliveryOut},
    )
    def post(self, request: Request, delivery_id: int) -> Response:
        read(Input, request)
        row = webhooks.replay(user_of(request), delivery_id, now=timezone.now())
        return Response(DeliveryOut(row).data, status=status.HTTP_202_ACCEPTED)
