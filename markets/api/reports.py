"""The quality report and the log of failures, over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.views import APIView

from markets import reporting
from markets.api import asking
from markets.api.serializers import ErrorOut, ReportOut
from markets.api.views import WRONG
from markets.choices import ErrorClass
from markets.models import ApiErrorLog
from project.core.api.paging import Cursor
from project.core.api.permissions import InMarkets, IsStaff

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response

_PAGE = [OpenApiParameter("cursor", OpenApiTypes.STR), OpenApiParameter("limit", OpenApiTypes.INT)]


class ByScore(Cursor):
    """By the score, as asked; series of the same score by their key."""

    def __init__(self, order: str) -> None:
        self.ordering = (order, "id")


class QualityReport(APIView):
    """How good the series were lately."""

    permission_classes = (InMarkets,)

    @extend_schema(
        operation_id="quality_report",
        summary="Report the quality of all series over the last hours",
        parameters=[
            OpenApiParameter("hours", OpenApiTypes.INT, description="1 to 8784, 24 if left out"),
            OpenApiParameter(
                "order",
                OpenApiTypes.STR,
                enum=list(reporting.ORDERS),
                description="`avg_score`: worst first; `-avg_score`, as if left out: best first",
            ),
            *_PAGE,
        ],
        responses={200: ReportOut(many=True), **WRONG},
    )
    def get(self, request: Request) -> Response:
        asking.require_known(request, ("hours", "order", "cursor", "limit"))
        hours = asking.number(request, "hours", most=reporting.MOST_HOURS) or 24
        order = asking.choice(request, "order", reporting.ORDERS, "-avg_score")
        now, pages = timezone.now(), ByScore(order)
        rows = reporting.scored(hours=hours, now=now)
        found: Any = pages.paginate_queryset(rows, request, view=self)
        shown = [_line(line) for line in reporting.lines(found, hours=hours, now=now)]
        answer: Response = pages.get_paginated_response(ReportOut(shown, many=True).data)
        return answer


def _line(line: reporting.Line) -> dict[str, Any]:
    market = line.series.market
    return {
        "symbol": market.symbol,
        "exchange": market.exchange.name,
        "timeframe": line.series.timeframe,
        "avg_score": line.avg_score,
        "total_missing": line.total_missing,
    }


class ErrorList(APIView):
    """What went wrong with exchanges."""

    permission_classes = (IsStaff,)

    @extend_schema(
        operation_id="errors_list",
        summary="List failures of exchanges, the newest first",
        parameters=[
            OpenApiParameter("class", OpenApiTypes.STR, enum=ErrorClass.values),
            OpenApiParameter("exchange", OpenApiTypes.STR, description="e.g. `binance`"),
            OpenApiParameter("since", OpenApiTypes.STR, description="ISO 8601 or ms; inclusive"),
            *_PAGE,
        ],
        responses={200: ErrorOut(many=True), **WRONG},
    )
    def get(self, request: Request) -> Response:
        asking.require_known(request, ("class", "exchange", "since", "cursor", "limit"))
        rows = ApiErrorLog.objects.all()
        if wanted := asking.choice(request, "class", ErrorClass.values):
            rows = rows.filter(error_class=wanted)
        if exchange := request.query_params.get("exchange"):
            rows = rows.filter(exchange=exchange)
        if (since := asking.moment_ms(request, "since")) is not None:
            rows = rows.filter(happened_ms__gte=since)
        pages = Cursor()
        found: Any = pages.paginate_queryset(rows, request, view=self)
        data = ErrorOut([_error(row) for row in found], many=True).data
        answer: Response = pages.get_paginated_response(data)
        return answer


def _error(row: ApiErrorLog) -> dict[str, Any]:
    names = ("id", "happened_at", "exchange", "collector", "market", "timeframe", "code")
    more = ("status", "message", "egress", "attempt", "retry_after_s", "run_id")
    told = {name: getattr(row, name) for name in (*names, *more)}
    return {**told, "class": row.error_class, "retryable": row.is_retryable}
