"""The pool over REST: what is in it, and having it fetched and validated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Prefetch
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView

from project.core.api.callers import caller_of
from project.core.api.noting import noted
from project.core.api.paging import Cursor
from project.core.api.permissions import InProxies, IsStaff
from project.core.api.schema import problem
from project.core.errors import FieldProblem, InvalidInputError
from proxies import checking, explaining, exporting, fetching, finding, lending, overview
from proxies.api.serializers import (
    ExplanationOut,
    FetchRequest,
    ProxyFilter,
    ProxyOut,
    RunIdOut,
    StatsOut,
    ValidateRequest,
    WishRequest,
)
from proxies.models import Proxy, SourceEntry

if TYPE_CHECKING:
    from rest_framework.request import Request

    from proxies.querysets import ProxyQuerySet

PAGE_PARAMETERS: Final = [
    OpenApiParameter("cursor", OpenApiTypes.STR),
    OpenApiParameter("limit", OpenApiTypes.INT),
]
_RUNNING: Final = {
    (409, "application/problem+json"): problem("validation_running", 409, "A round is at work")
}
_EXPORTED = {"type": "array", "items": {"type": "object", "additionalProperties": {}}}
BAD_FILTER: Final = {(422, "application/problem+json"): problem("invalid", 422, "A bad filter")}


def shown() -> ProxyQuerySet:
    """Return proxies with what the API shows of them, and without their secrets."""
    entries = SourceEntry.objects.select_related("source").only("proxy_id", "source__name")
    return Proxy.objects.defer("password").prefetch_related(Prefetch("entries", queryset=entries))


class ProxyList(APIView):
    """The pool."""

    permission_classes = (InProxies,)

    @extend_schema(
        operation_id="proxies_list",
        summary="List proxies",
        parameters=[ProxyFilter, *PAGE_PARAMETERS],
        responses={200: ProxyOut(many=True), **BAD_FILTER},
    )
    def get(self, request: Request) -> Response:
        asked = ProxyFilter(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = finding.Filter(**asked.validated_data)
        found = finding.narrow(shown(), wanted, now=timezone.now())
        pages = Cursor()
        page: Any = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(ProxyOut(page, many=True).data)


class ProxyDetail(APIView):
    """One proxy."""

    permission_classes = (InProxies,)

    @extend_schema(operation_id="proxies_get", summary="Show a proxy", responses={200: ProxyOut})
    def get(self, request: Request, proxy_id: int) -> Response:
        return Response(ProxyOut(finding.one(shown(), proxy_id)).data)


class ProxyExplanation(APIView):
    """Why a proxy, and why not."""

    permission_classes = (InProxies,)

    @extend_schema(
        operation_id="proxies_explanation",
        summary="Whether a proxy would be lent for a wish now, and why or why not",
        parameters=[WishRequest],
        responses={200: ExplanationOut, **BAD_FILTER},
    )
    def get(self, request: Request, proxy_id: int) -> Response:
        asked = WishRequest(data=request.query_params)
        asked.is_valid(raise_exception=True)
        proxy = finding.one(Proxy.objects.defer("password"), proxy_id)
        wish = lending.Ask(**asked.validated_data)
        return Response(ExplanationOut(explaining.of(proxy, wish, now=timezone.now())).data)


class Stats(APIView):
    """Sizes and latencies."""

    permission_classes = (InProxies,)

    @extend_schema(
        operation_id="proxies_stats", summary="Sizes of the pools", responses={200: StatsOut}
    )
    def get(self, request: Request) -> Response:
        return Response(overview.stats(now=timezone.now()))


class Fetch(APIView):
    """Fetching lists."""

    permission_classes = (IsStaff,)

    @extend_schema(
        operation_id="proxies_fetch",
        summary="Fetch proxy lists, due or not",
        request=FetchRequest,
        responses={202: RunIdOut},
    )
    @noted("Asked for proxy lists to be fetched", told=("sources",))
    def post(self, request: Request) -> Response:
        asked = FetchRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        sources = asked.validated_data.get("sources", ())
        run = fetching.submit(sources, by=caller_of(request), now=timezone.now())
        return Response({"run_id": run.pk}, status=status.HTTP_202_ACCEPTED)


class Validate(APIView):
    """Checking proxies."""

    permission_classes = (IsStaff,)

    @extend_schema(
        operation_id="proxies_validate",
        summary="Check proxies, due or not; one round at a time",
        request=ValidateRequest,
        responses={202: RunIdOut, **_RUNNING},
    )
    @noted("Asked for proxies to be checked", told=("ids", "pool", "limit"))
    def post(self, request: Request) -> Response:
        asked = ValidateRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        chosen = checking.Selection(**asked.validated_data)
        run = checking.submit(chosen, by=caller_of(request), now=timezone.now())
        return Response({"run_id": run.pk}, status=status.HTTP_202_ACCEPTED)


def _wants_secrets(request: Request) -> bool:
    return request.query_params.get("secrets", "").lower() in {"1", "true", "yes"}


class Export(APIView):
    """The pool as a file."""

    permission_classes = (InProxies,)

    @extend_schema(
        operation_id="proxies_export",
        summary="Export the pool; credentials for staff who ask for them",
        parameters=[
            ProxyFilter,
            OpenApiParameter("format", OpenApiTypes.STR, enum=list(exporting.FORMATS)),
            OpenApiParameter("secrets", OpenApiTypes.BOOL, description="staff only"),
        ],
        responses={
            (200, "text/plain"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiResponse(_EXPORTED),
            (200, "text/csv"): OpenApiTypes.STR,
            **BAD_FILTER,
        },
    )
    @noted("Exported the pool with its credentials", when=_wants_secrets)
    def get(self, request: Request) -> StreamingHttpResponse:
        name = request.query_params.get("format", "txt")
        if name not in exporting.FORMATS:
            known = f"one of {', '.join(exporting.FORMATS)}"
            wrong = FieldProblem("format", "invalid_choice", known)
            raise InvalidInputError(f"format: {known}", fields=(wrong,))
        by, wants = caller_of(request), _wants_secrets(request)
        with_secrets = exporting.may_have_secrets(by, wants=wants)
        content_type, written = exporting.FORMATS[name]
        asked = ProxyFilter(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = finding.Filter(**asked.validated_data)
        chosen = exporting.Chosen(wanted, with_secrets, timezone.now())
        answer = StreamingHttpResponse(written(chosen), content_type=content_type)
        answer["Content-Disposition"] = f'attachment; filename="proxies.{name}"'
        return answer
