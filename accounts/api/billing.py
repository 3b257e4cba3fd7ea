"""The billing system's word on subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import billing
from accounts.api.access import read
from accounts.billing import Change
from project.core.api.permissions import Anybody
from project.core.api.schema import problem
from project.core.api.serializers import Input

if TYPE_CHECKING:
    from rest_framework.request import Request

HEADER = "X-Millrace-Signature"
_PROBLEM = "application/problem+json"


class SubscriptionEvent(Input):
    """That a user has a plan from now on, or no more."""

    id = serializers.CharField(
        max_length=100, help_text="the billing system's own; the same when it is sent again"
    )
    email = serializers.CharField(max_length=254, help_text="of the user")
    plan = serializers.CharField(
        max_length=40, allow_null=True, help_text="its name; null: the subscription ends"
    )
    occurred_at = serializers.DateTimeField(
        help_text="an older event than the last applied changes nothing"
    )
    starts_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    ends_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class SubscriptionEventOut(serializers.Serializer[Any]):
    """What came of an event."""

    id = serializers.CharField()
    applied = serializers.BooleanField(help_text="false: it was applied before, or a later one was")


class SubscriptionWebhook(APIView):
    """Takes what a billing system says; whoever signs is let in."""

    permission_classes = (Anybody,)
    authentication_classes = ()

    @extend_schema(
        operation_id="subscription_webhook",
        summary="Change a subscription, as a billing system: signed, each event once",
        auth=[],
        parameters=[
            OpenApiParameter(
                HEADER,
                str,
                OpenApiParameter.HEADER,
                description='`t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>", hex>`',
            )
        ],
        request=SubscriptionEvent,
        responses={
            200: SubscriptionEventOut,
            (403, _PROBLEM): problem("bad_signature", 403, "The signature is wrong"),
            (409, _PROBLEM): problem("event_reused", 409, "The event id belongs to another event"),
        },
    )
    def post(self, request: Request) -> Response:
        http = request._request  # noqa: SLF001 -- DRF has no public name for it
        now = timezone.now()
        billing.require_signed(http.body, request.headers.get(HEADER, ""), now=now)
        asked = read(SubscriptionEvent, request)
        change = Change(event_id=asked.pop("id"), **asked)
        is_applied = billing.apply(change, body=http.body, now=now)
        return Response(SubscriptionEventOut({"id": change.event_id, "applied": is_applied}).data)
