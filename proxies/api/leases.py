"""Borrowing proxies over REST, where a request is not served by the desk (``desk``) before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from project.core.api.callers import caller_of
from project.core.api.paging import Cursor
from project.core.api.permissions import InProxies
from project.core.api.schema import problem
from proxies import explaining, finding
from proxies.api import borrowing
from proxies.api.serializers import (
    ChoiceOut,
    LeaseFilter,
    LeaseOut,
    LeaseRecordOut,
    LeaseRequest,
    ReleaseOut,
    ReleaseRequest,
    RenewRequest,
)
from proxies.api.views import BAD_FILTER, PAGE_PARAMETERS
from proxies.models import Lease

if TYPE_CHECKING:
    from rest_framework.request import Request

_NONE: Final = {
    (503, "application/problem+json"): problem("no_proxy_available", 503, "No proxy is free")
}
_STALE: Final = {
    (409, "application/problem+json"): problem("stale_token", 409, "The token is stale")
}


class LeaseList(APIView):
    """The caller's leases; staff see all."""

    permission_classes = (InProxies,)

    @extend_schema(
        operation_id="leases_list",
        summary="List leases, the newest first",
        parameters=[LeaseFilter, *PAGE_PARAMETERS],
        responses={200: LeaseRecordOut(many=True), **BAD_FILTER},
    )
    def get(self, request: Request) -> Response:
        asked = LeaseFilter(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = finding.leases(
            Lease.objects.visible_to(caller_of(request)),
            stand=asked.validated_data["active"],
            now=timezone.now(),
        )
        found = found.select_related("proxy").defer("proxy__password")
        pages = Cursor()
        page: Any = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(LeaseRecordOut(page, many=True).data)

    @extend_schema(
        operation_id="leases_acquire",
        summary="Borrow a proxy",
        request=LeaseRequest,
        responses={201: LeaseOut, 200: LeaseOut, **_NONE},
    )
    def post(self, request: Request) -> Response:
        status, found = borrowing.acquire(request.data, by=caller_of(request))
        return Response(found, status=status)


class LeaseExplanation(APIView):
    """Why this proxy."""

    permission_classes = (InProxies,)

    @extend_schema(
        operation_id="leases_explanation",
        summary="Why a lease got its proxy",
        responses={200: ChoiceOut},
    )
    def get(self, request: Request, lease_id: int) -> Response:
        chosen = explaining.choice_of(lease_id, by=caller_of(request))
        return Response(ChoiceOut(chosen).data)


class LeaseRenew(APIView):
    """Keeping a proxy for longer."""

    permission_classes = (InProxies,)

    @extend_schema(
        operation_id="leases_renew",
        summary="Keep a proxy for longer",
        request=RenewRequest,
        responses={200: LeaseOut, **_STALE},
    )
    def post(self, request: Request, lease_id: int) -> Response:
        status, found = borrowing.renew(request.data, by=caller_of(request), lease_id=lease_id)
        return Response(found, status=status)


class LeaseRelease(APIView):
    """Giving a proxy back."""

    permission_classes = (InProxies,)

    @extend_schema(
        operation_id="leases_release",
        summary="Give a proxy back and say what came of it",
        request=ReleaseRequest,
        responses={200: ReleaseOut, **_STALE},
    )
    def post(self, request: Request, lease_id: int) -> Response:
        status, found = borrowing.release(request.data, by=caller_of(request), lease_id=lease_id)
        return Response(found, status=status)
