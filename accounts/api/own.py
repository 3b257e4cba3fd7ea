"""The caller's own keys, devices and plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import devices, flags, keys, noting, plans, quotas
from accounts.api.access import read, user_of
from accounts.api.serializers import (
    DeviceOut,
    FeaturesOut,
    KeyOut,
    KeyRequest,
    NewKeyOut,
    PlanOut,
    RevokedOut,
    SubscriptionOut,
)
from accounts.models import ApiKey, Plan
from project.core.api.callers import caller_of
from project.core.api.paging import Cursor
from project.core.api.permissions import InAccounts, IsKnown
from project.core.api.serializers import Input

if TYPE_CHECKING:
    from rest_framework.request import Request

    from accounts.models import User


class KeyPages(Cursor):
    """Keys, newest first."""

    ordering = ("-created_at", "-pk")


class Keys(APIView):
    """The caller's API keys."""

    permission_classes = (InAccounts,)
    pagination_class = KeyPages

    @extend_schema(
        operation_id="keys_list", summary="List own API keys", responses={200: KeyOut(many=True)}
    )
    def get(self, request: Request) -> Response:
        noting.now_seen()
        pages = self.pagination_class()
        found = ApiKey.objects.filter(user=user_of(request))
        page: Any = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(KeyOut(page, many=True).data)

    @extend_schema(
        operation_id="keys_create",
        summary="Make an API key; it is shown this once",
        request=KeyRequest,
        responses={201: NewKeyOut},
    )
    def post(self, request: Request) -> Response:
        asked = read(KeyRequest, request)
        by = caller_of(request)
        wish = keys.Wish(**{**asked, "scopes": _within(by.scopes, asked["scopes"])})
        made = keys.create(user_of(request), wish, by=by, now=timezone.now())
        body = {**KeyOut(made.key).data, "key": made.secret}
        return Response(body, status=status.HTTP_201_CREATED)


def _within(own: frozenset[str] | None, asked: list[str]) -> list[str]:
    """Return the scopes of a key that a key makes: never more than its own."""
    if own is None:
        return asked
    if more := sorted(set(asked) - own):
        raise PermissionDenied(f"a key makes no key that may more: {', '.join(more)}")
    return asked or sorted(own - {"admin"})


class Key(APIView):
    """One of the caller's API keys."""

    permission_classes = (InAccounts,)

    @extend_schema(
        operation_id="keys_revoke",
        summary="Take an API key back at once",
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, key_id: int) -> Response:
        by = caller_of(request)
        keys.revoke_own(user_of(request), key_id, by=by, now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


def shown(user: User, *, session_key: str | None, key_id: int | None) -> list[dict[str, Any]]:
    """Return a user's sessions and keys in use, the latest seen first."""
    sessions = [
        {
            "id": f"s{device.pk}",
            "kind": "session",
            "name": "",
            "agent": device.agent,
            "address": device.address,
            "first_seen_at": device.first_seen_at,
            "last_seen_at": device.last_seen_at,
            "is_current": key_id is None and device.session_key == session_key,
        }
        for device in devices.current(user, now=timezone.now())
    ]
    programs = [
        {
            "id": f"k{key.pk}",
            "kind": "key",
            "name": str(key),
            "agent": key.last_agent,
            "address": key.last_address,
            "first_seen_at": key.created_at,
            "last_seen_at": key.last_used_at,
            "is_current": key.pk == key_id,
        }
        for key in ApiKey.objects.valid(at=timezone.now()).filter(user=user)
    ]
    return sorted(
        [*sessions, *programs],
        key=lambda row: row["last_seen_at"] or row["first_seen_at"],
        reverse=True,
    )


class Whole(Cursor):
    """A list that is short enough for one page, in the form of all pages."""


class Devices(APIView):
    """The caller's browser sessions and keys."""

    permission_classes = (InAccounts,)
    pagination_class = Whole

    @extend_schema(
        operation_id="devices_list",
        summary="List own sessions and keys, with agent, address, first and last seen",
        parameters=[],
        responses={200: DeviceOut(many=True)},
    )
    def get(self, request: Request) -> Response:
        session_key = request._request.session.session_key  # noqa: SLF001 -- DRF has no name for it
        key_id = caller_of(request).key_id
        rows = shown(user_of(request), session_key=session_key, key_id=key_id)
        results = DeviceOut(rows, many=True).data
        return Response({"next": None, "previous": None, "results": results})


class OneDevice(APIView):
    """One of the caller's sessions or keys."""

    permission_classes = (InAccounts,)

    @extend_schema(
        operation_id="devices_revoke",
        summary="Sign a session out, or take a key back, at once",
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, device_id: str) -> Response:
        user, kind, number = user_of(request), device_id[:1], device_id[1:]
        if not (number.isascii() and number.isdecimal() and len(number) < 19):  # noqa: PLR2004 -- fits the column
            raise devices.UnknownDeviceError(f"no device {device_id}")
        if kind == "k":
            keys.revoke_own(user, int(number), by=caller_of(request), now=timezone.now())
        elif kind == "s":
            devices.revoke(user, int(number))
        else:
            raise devices.UnknownDeviceError(f"no device {device_id}")
        return Response(status=status.HTTP_204_NO_CONTENT)


class RevokeOthers(APIView):
    """All of the caller's other sessions."""

    permission_classes = (InAccounts,)

    @extend_schema(
        operation_id="devices_revoke_others",
        summary="Sign out everywhere else; keys stay",
        request=None,
        responses={200: RevokedOut},
    )
    def post(self, request: Request) -> Response:
        read(Input, request)
        by_cookie = caller_of(request).key_id is None
        session_key = request._request.session.session_key if by_cookie else None  # noqa: SLF001 -- as above
        revoked = devices.revoke_others(user_of(request), but=session_key or "")
        return Response({"revoked": revoked})


class Plans(APIView):
    """What there is to subscribe to."""

    permission_classes = (IsKnown,)
    pagination_class = Whole

    @extend_schema(
        operation_id="plans_list",
        summary="List the plans",
        parameters=[],
        responses={200: PlanOut(many=True)},
    )
    def get(self, request: Request) -> Response:
        results = PlanOut(Plan.objects.public(), many=True).data
        return Response({"next": None, "previous": None, "results": results})


class OwnSubscription(APIView):
    """The caller's plan."""

    permission_classes = (InAccounts,)

    @extend_schema(
        operation_id="auth_subscription",
        summary="Show the own plan, and what is used of it",
        responses={200: SubscriptionOut},
    )
    def get(self, request: Request) -> Response:
        user, now = user_of(request), timezone.now()
        found = plans.standing(user, at=now)
        body = {
            "plan": found.plan or Plan(name="", title="None"),
            "started_at": found.since,
            "ends_at": found.ends_at,
            "next_plan": found.next_plan.name if found.next_plan else None,
            "usage": quotas.usage(user, now=now),
        }
        return Response(SubscriptionOut(body).data)


class Features(APIView):
    """The features that the caller has."""

    permission_classes = (IsKnown,)

    @extend_schema(
        operation_id="features",
        summary="Show the feature flags that this caller has",
        responses={200: FeaturesOut},
    )
    def get(self, request: Request) -> Response:
        return Response({"features": flags.of(caller_of(request))})
