"""Runs and the state of the system over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView

from project.core import runs, system
from project.core.api.callers import caller_of
from project.core.api.noting import noted
from project.core.api.paging import Cursor
from project.core.api.permissions import IsKnown, IsStaff
from project.core.api.schema import problem
from project.core.api.serializers import Input, RunAcceptedOut, RunOut, SystemOut
from project.core.choices import RunStatus
from project.core.errors import FieldProblem, InvalidInputError
from project.core.models import Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from rest_framework.request import Request

    from project.core.callers import Caller

_ENDED = {(409, "application/problem+json"): problem("run_ended", 409, "The run has ended")}
_NOT_ENDED = {
    (409, "application/problem+json"): problem("run_not_ended", 409, "The run has not ended")
}
_BAD_STATUS = {(422, "application/problem+json"): problem("invalid", 422, "No such status")}


class RunPages(Cursor):
    """Runs, newest first."""

    ordering = ("-created_at", "id")


class RunList(APIView):
    """The caller's runs; staff see all."""

    permission_classes = (IsKnown,)

    @extend_schema(
        operation_id="runs_list",
        summary="List runs",
        parameters=[
            OpenApiParameter("kind", OpenApiTypes.STR, description="e.g. `markets.collect`"),
            OpenApiParameter("status", OpenApiTypes.STR, enum=RunStatus.values),
            OpenApiParameter("cursor", OpenApiTypes.STR),
            OpenApiParameter("limit", OpenApiTypes.INT),
        ],
        responses={200: RunOut(many=True), **_BAD_STATUS},
    )
    def get(self, request: Request) -> Response:
        found = Run.objects.visible_to(caller_of(request)).defer("payload", "checkpoint")
        if kind := request.query_params.get("kind"):
            found = found.filter(kind=kind)
        if wanted := request.query_params.get("status"):
            _require_status(wanted)
            found = found.filter(status=wanted)
        pages = RunPages()
        page: Any = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(RunOut(page, many=True).data)


def _require_status(wanted: str) -> None:
    if wanted not in RunStatus.values:
        known = f"one of {', '.join(RunStatus.values)}"
        wrong = FieldProblem("status", "invalid_choice", known)
        raise InvalidInputError(f"status: {known}", fields=(wrong,))


class RunDetail(APIView):
    """One run."""

    permission_classes = (IsKnown,)

    @extend_schema(operation_id="runs_get", summary="Show a run", responses={200: RunOut})
    def get(self, request: Request, run_id: UUID) -> Response:
        return Response(RunOut(runs.find(run_id, by=caller_of(request))).data)


class _RunChange(APIView):
    """What a person or program may do to a run of theirs."""

    permission_classes = (IsKnown,)

    def answer(self, request: Request, run_id: UUID, verb: Callable[..., Run]) -> Response:
        """Find the run, apply ``verb``, show what came of it."""
        Input(data=request.data).is_valid(raise_exception=True)
        caller: Caller = caller_of(request)
        now: datetime = timezone.now()
        run = verb(runs.find(run_id, by=caller), by=caller, now=now)
        return Response(RunAcceptedOut(run).data, status=status.HTTP_202_ACCEPTED)


class RunCancel(_RunChange):
    """Stops a run."""

    @extend_schema(
        operation_id="runs_cancel",
        summary="Cancel a run",
        request=None,
        responses={202: RunAcceptedOut, **_ENDED},
    )
    @noted("Canceled", about=Run, owner="requested_by_id")
    def post(self, request: Request, run_id: UUID) -> Response:
        return self.answer(request, run_id, runs.cancel)


class RunRetry(_RunChange):
    """Asks for the same work again."""

    @extend_schema(
        operation_id="runs_retry",
        summary="Retry a run that has ended: a new run, named by `run_id`",
        request=None,
        responses={202: RunAcceptedOut, **_NOT_ENDED},
    )
    @noted("Asked again", about=Run, owner="requested_by_id")
    def post(self, request: Request, run_id: UUID) -> Response:
        return self.answer(request, run_id, runs.retry)


class SystemTasks(APIView):
    """Processes and periodic jobs."""

    permission_classes = (IsStaff,)

    @extend_schema(
        operation_id="system_tasks",
        summary="Heartbeats and periodic jobs",
        responses={200: SystemOut},
    )
    def get(self, request: Request) -> Response:
        return Response(system.overview(now=timezone.now()))
