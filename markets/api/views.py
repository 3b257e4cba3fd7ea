"""Markets, their gaps and quality, and what may be asked of them, over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView

from markets import backfilling, collecting, configuring, quality, reading, summarising, timeframes
from markets.api import asking
from markets.api.serializers import (
    BackfillAcceptedOut,
    BackfillIn,
    BackfillTaskOut,
    CollectorOut,
    ExchangeOut,
    GapOut,
    MarketOut,
    QualityCheckIn,
    QualityOut,
)
from markets.backfilling import Wanted
from markets.choices import GapState, TaskStatus
from markets.models import BackfillTask, CollectorConfig, Exchange, Gap, Market, QualitySummary
from project.core.api.callers import caller_of
from project.core.api.noting import noted
from project.core.api.paging import Cursor
from project.core.api.permissions import InMarkets, IsStaff
from project.core.api.schema import problem
from project.core.api.serializers import Input, RunAcceptedOut
from project.core.errors import NotFoundError
from project.core.moments import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

_PAGE = [OpenApiParameter("cursor", OpenApiTypes.STR), OpenApiParameter("limit", OpenApiTypes.INT)]
_FRAME = OpenApiParameter("timeframe", OpenApiTypes.STR, enum=list(timeframes.KNOWN))
_START = OpenApiParameter("start", OpenApiTypes.STR, description="ISO 8601 or ms; inclusive")
_END = OpenApiParameter("end", OpenApiTypes.STR, description="ISO 8601 or ms; exclusive")
WRONG = {(422, "application/problem+json"): problem("invalid", 422, "A wrong parameter")}
_BUSY = {(409, "application/problem+json"): problem("already_running", 409, "Already running")}


class CollectorNotFoundError(NotFoundError):
    """There is no such collector."""

    title = "No such collector"


class ById(Cursor):
    """Oldest first: the order in which rows were made."""

    ordering = "id"


class Newest(Cursor):
    """The newest first."""

    ordering = "-id"


def listed(
    view: APIView, request: Request, rows: Any, shape: Callable[[Any], dict[str, Any]], out: Any
) -> Response:
    """Answer a page of ``rows``, each as ``shape`` makes it."""
    pages = view.pages()  # type: ignore[attr-defined]
    found: Any = pages.paginate_queryset(rows, request, view=view)
    data = out([shape(row) for row in found], many=True).data
    answer: Response = pages.get_paginated_response(data)
    return answer


class ExchangeList(APIView):
    """The exchanges."""

    permission_classes = (InMarkets,)
    pages = ById

    @extend_schema(
        operation_id="exchanges_list",
        summary="List exchanges",
        parameters=_PAGE,
        responses={200: ExchangeOut(many=True), **WRONG},
    )
    def get(self, request: Request) -> Response:
        asking.require_known(request, ("cursor", "limit"))
        rows = Exchange.objects.annotate(
            count=Count("markets"), enabled=Count("markets", filter=Q(markets__enabled=True))
        )
        return listed(self, request, rows, _exchange, ExchangeOut)


def _exchange(exchange: Any) -> dict[str, Any]:
    return {
        "id": exchange.pk,
        "name": exchange.name,
        "title": exchange.title,
        "markets": exchange.count,
        "enabled_markets": exchange.enabled,
        "refreshed_at": exchange.refreshed_at,
    }


class MarketList(APIView):
    """The markets that are known."""

    permission_classes = (InMarkets,)
    pages = ById

    @extend_schema(
        operation_id="markets_list",
        summary="List markets",
        parameters=[
            OpenApiParameter("exchange", OpenApiTypes.STR, description="e.g. `binance`"),
            OpenApiParameter("symbol", OpenApiTypes.STR, description="e.g. `BTC/USDT`"),
            OpenApiParameter("enabled", OpenApiTypes.BOOL),
            *_PAGE,
        ],
        responses={200: MarketOut(many=True), **WRONG},
    )
    def get(self, request: Request) -> Response:
        asking.require_known(request, ("exchange", "symbol", "enabled", "cursor", "limit"))
        rows = Market.objects.select_related("exchange").prefetch_related("series")
        if exchange := request.query_params.get("exchange"):
            rows = rows.filter(exchange__name=exchange)
        if symbol := request.query_params.get("symbol"):
            rows = rows.filter(symbol=symbol)
        if (enabled := asking.truth(request, "enabled")) is not None:
            rows = rows.filter(enabled=enabled)
        return listed(self, request, rows, _market, MarketOut)


def _market(market: Market) -> dict[str, Any]:
    names = [series.timeframe for series in market.series.all()]
    return {
        "id": market.pk,
        "exchange": market.exchange.name,
        "symbol": market.symbol,
        "base": market.base,
        "quote": market.quote,
        "enabled": market.enabled,
        "timeframes": sorted(names, key=lambda name: timeframes.of(name).step_ms),
    }


class MarketGaps(APIView):
    """The ledger of one market."""

    permission_classes = (InMarkets,)
    pages = ById

    @extend_schema(
        operation_id="markets_gaps",
        summary="List the gaps of a market",
        parameters=[
            _FRAME,
            OpenApiParameter("state", OpenApiTypes.STR, enum=GapState.values),
            *_PAGE,
        ],
        responses={200: GapOut(many=True), **WRONG},
    )
    def get(self, request: Request, market_id: int) -> Response:
        asking.require_known(request, ("timeframe", "state", "cursor", "limit"))
        market = reading.market_by_id(market_id)
        rows = Gap.objects.filter(series__market=market).select_related("series")
        if timeframe := request.query_params.get("timeframe"):
            rows = rows.filter(series=reading.series_of(market, timeframe))
        if state := asking.choice(request, "state", GapState.values):
            rows = rows.filter(state=state)
        return listed(self, request, rows, _gap, GapOut)


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "id": gap.pk,
        "timeframe": gap.series.timeframe,
        "start": from_ms(gap.start_ms),
        "end": from_ms(gap.end_ms),
        "missing": gap.missing,
        "reason": gap.reason,
        "state": gap.state,
        "evidence": gap.evidence,
        "attempts": gap.attempts,
        "next_look_at": gap.next_look_at,
    }


class MarketQuality(APIView):
    """How good the days of one market are."""

    permission_classes = (InMarkets,)
    pages = Newest

    @extend_schema(
        operation_id="markets_quality",
        summary="List the quality of a market's days",
        parameters=[_FRAME, _START, _END, *_PAGE],
        responses={200: QualityOut(many=True), **WRONG},
    )
    def get(self, request: Request, market_id: int) -> Response:
        asking.require_known(request, ("timeframe", "start", "end", "cursor", "limit"))
        market = reading.market_by_id(market_id)
        rows = QualitySummary.objects.filter(series__market=market).select_related("series")
        if timeframe := request.query_params.get("timeframe"):
            rows = rows.filter(series=reading.series_of(market, timeframe))
        if (start := asking.moment_ms(request, "start")) is not None:
            rows = rows.filter(end_ms__gt=start)
        if (end := asking.moment_ms(request, "end")) is not None:
            rows = rows.filter(start_ms__lt=end)
        return listed(self, request, rows, _summary, QualityOut)


def _summary(row: QualitySummary) -> dict[str, Any]:
    names = ("expected", "stored", "missing", "excused", *summarising.COLUMNS)
    return {
        "id": row.pk,
        "timeframe": row.series.timeframe,
        "start": from_ms(row.start_ms),
        "end": from_ms(row.end_ms),
        **{name: getattr(row, name) for name in names},
        "score": row.score,
        "computed_at": row.computed_at,
    }


class MarketQualityCheck(APIView):
    """Checks one market."""

    permission_classes = (IsStaff,)

    @extend_schema(
        operation_id="markets_quality_check",
        summary="Check the quality of a market now",
        request=QualityCheckIn,
        responses={202: RunAcceptedOut, **_BUSY},
    )
    @noted("Asked for a check of its quality", about=Market, told=("timeframe",))
    def post(self, request: Request, market_id: int) -> Response:
        asked = QualityCheckIn(data=request.data)
        asked.is_valid(raise_exception=True)
        market = reading.market_by_id(market_id)
        timeframe = asked.validated_data.get("timeframe", "")
        if timeframe:
            reading.series_of(market, timeframe)
        run = quality.ask(market, timeframe, by=caller_of(request), now=timezone.now())
        return Response(RunAcceptedOut(run).data, status=status.HTTP_202_ACCEPTED)


class MarketBackfill(APIView):
    """Has a range of one market asked for again."""

    permission_classes = (IsStaff,)

    @extend_schema(
        operation_id="markets_backfill",
        summary="Backfill a range of a market",
        request=BackfillIn,
        responses={202: BackfillAcceptedOut},
    )
    @noted("Asked for a backfill", about=Market, told=("timeframe", "start", "end", "priority"))
    def post(self, request: Request, market_id: int) -> Response:
        asked = BackfillIn(data=request.data)
        asked.is_valid(raise_exception=True)
        told = asked.validated_data
        series = reading.series_of(reading.market_by_id(market_id), told["timeframe"])
        wanted = Wanted(series, to_ms(told["start"]), to_ms(told["end"]), told["priority"])
        task = backfilling.ask(wanted, by=caller_of(request), now=timezone.now())
        return _accepted(task)


def _accepted(task: BackfillTask) -> Response:
    found = {"task_id": task.pk, "run_id": task.run_id}
    return Response(BackfillAcceptedOut(found).data, status=status.HTTP_202_ACCEPTED)


class BackfillTaskList(APIView):
    """The queue of repairs."""

    permission_classes = (IsStaff,)
    pages = Newest

    @extend_schema(
        operation_id="backfill_tasks_list",
        summary="List backfill tasks",
        parameters=[OpenApiParameter("status", OpenApiTypes.STR, enum=TaskStatus.values), *_PAGE],
        responses={200: BackfillTaskOut(many=True), **WRONG},
    )
    def get(self, request: Request) -> Response:
        asking.require_known(request, ("status", "cursor", "limit"))
        rows = BackfillTask.objects.select_related("series__market__exchange")
        if wanted := asking.choice(request, "status", TaskStatus.values):
            rows = rows.filter(status=wanted)
        return listed(self, request, rows, _task, BackfillTaskOut)


def _task(task: BackfillTask) -> dict[str, Any]:
    return {
        "id": task.pk,
        "market": str(task.series.market),
        "timeframe": task.series.timeframe,
        "start": from_ms(task.start_ms),
        "end": from_ms(task.end_ms),
        "priority": task.priority,
        "status": task.status,
        "attempts": task.attempts,
        "next_try_at": task.next_try_at,
        "progress": task.progress,
        "candles_found": task.candles_found,
        "run_id": task.run_id,
    }


class BackfillTaskRetry(APIView):
    """Tries a failed task again."""

    permission_classes = (IsStaff,)

    @extend_schema(
        operation_id="backfill_tasks_retry",
        summary="Try a failed backfill task again",
        request=None,
        responses={
            202: BackfillAcceptedOut,
            (409, "application/problem+json"): problem("task_not_failed", 409, "Not failed"),
        },
    )
    @noted("Tried again", about=BackfillTask)
    def post(self, request: Request, task_id: int) -> Response:
        Input(data=request.data).is_valid(raise_exception=True)
        task = backfilling.find(task_id)
        return _accepted(backfilling.retry(task, by=caller_of(request), now=timezone.now()))


class CollectorList(APIView):
    """The collectors."""

    permission_classes = (IsStaff,)
    pages = ById

    @extend_schema(
        operation_id="collectors_list",
        summary="List collectors",
        parameters=_PAGE,
        responses={200: CollectorOut(many=True), **WRONG},
    )
    def get(self, request: Request) -> Response:
        asking.require_known(request, ("cursor", "limit"))
        rows = CollectorConfig.objects.select_related("exchange")
        return listed(self, request, rows, _collector, CollectorOut)


def _collector(collector: CollectorConfig) -> dict[str, Any]:
    names = ("name", "enabled", "mode", "egress", "symbols")
    told = {name: getattr(collector, name) for name in names}
    return {"id": collector.pk, "exchange": collector.exchange.name, **told}


class CollectorRun(APIView):
    """Runs a collector."""

    permission_classes = (IsStaff,)

    @extend_schema(
        operation_id="collectors_run",
        summary="Run a collector now",
        request=None,
        responses={202: RunAcceptedOut, **_BUSY},
    )
    @noted("Ran it", about=CollectorConfig)
    def post(self, request: Request, collector_id: int) -> Response:
        Input(data=request.data).is_valid(raise_exception=True)
        found = CollectorConfig.objects.select_related("exchange").filter(pk=collector_id).first()
        if found is None:
            raise CollectorNotFoundError(f"no collector {collector_id}")
        configuring.means_of(found)
        run = collecting.ask(found, by=caller_of(request), now=timezone.now())
        return Response(RunAcceptedOut(run).data, status=status.HTTP_202_ACCEPTED)
