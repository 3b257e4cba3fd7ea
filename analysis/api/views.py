"""Asking for analyses, and their jobs and batches, over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import batches, following, jobs, reading, strategies, submitting
from analysis.api import asking
from analysis.api.serializers import (
    AcceptedOut,
    AnalyzeIn,
    BatchAcceptedOut,
    BatchFileIn,
    BatchIn,
    BatchOut,
    JobOut,
    StrategyOut,
    TranscriptIn,
)
from analysis.models import Batch, Job, Strategy
from project.core.api.callers import caller_of
from project.core.api.noting import noted
from project.core.api.paging import Cursor
from project.core.api.parsing import JsonParser
from project.core.api.permissions import InAnalysis
from project.core.api.schema import problem
from project.core.api.serializers import Input
from project.core.choices import RunStatus

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

JSON = "application/problem+json"
PAGE = [OpenApiParameter("cursor", OpenApiTypes.STR), OpenApiParameter("limit", OpenApiTypes.INT)]
WRONG = {(422, JSON): problem("invalid", 422, "A wrong parameter")}
HELD = {
    (409, JSON): problem("quota_exceeded", 409, "As many are at work as the plan allows"),
    (429, JSON): problem("daily_quota_exceeded", 429, "The quota of the day is used up"),
}


def accepted(job: Job) -> dict[str, Any]:
    """Return what is told of a job that was asked for."""
    return {"job_id": job.pk, "status": job.status, "cached": job.cached}


def of_batch(job: Job) -> dict[str, Any]:
    """Return what is told of a job of a batch."""
    return {**accepted(job), "video_id": job.analysis.video.video_id}


class Newest(Cursor):
    """The newest first."""

    ordering = ("-created_at", "id")


class ByName(Cursor):
    """By name."""

    ordering = ("name",)


class Analyze(APIView):
    """Asks for an analysis."""

    permission_classes = (InAnalysis,)
    parser_classes = (JsonParser, MultiPartParser)

    @extend_schema(
        operation_id="videos_analyze",
        summary="Analyse a video, or a transcript as a file",
        request={"application/json": AnalyzeIn, "multipart/form-data": TranscriptIn},
        responses={200: AcceptedOut, 202: AcceptedOut, **HELD},
    )
    def post(self, request: Request) -> Response:
        by, now = caller_of(request), timezone.now()
        if asking.is_multipart(request):
            body = asking.validated(TranscriptIn, request.data)
            file = body["transcript"]
            submitting.require_size(file.size)
            transcript = submitting.Transcript(file.name or "", file.read())
            wanted = body.get("strategy", "")
            asked = submitting.of_transcript(transcript, strategy=wanted, by=by, now=now)
        else:
            body = asking.validated(AnalyzeIn, request.data)
            wanted = body.get("strategy", "")
            asked = submitting.of_url(body["url"], strategy=wanted, by=by, now=now)
        job = asked.job
        code = status.HTTP_200_OK if job.cached else status.HTTP_202_ACCEPTED
        return Response(AcceptedOut(accepted(job)).data, status=code)


class AnalyzeBatch(APIView):
    """Asks for many analyses."""

    permission_classes = (InAnalysis,)
    parser_classes = (JsonParser, MultiPartParser)

    @extend_schema(
        operation_id="videos_analyze_batch",
        summary="Analyse many videos, listed as JSON or in a CSV file",
        request={"application/json": BatchIn, "multipart/form-data": BatchFileIn},
        responses={202: BatchAcceptedOut, **HELD},
    )
    def post(self, request: Request) -> Response:
        if asking.is_multipart(request):
            body = asking.validated(BatchFileIn, request.data)
            urls = asking.urls_in(body["file"].read())
        else:
            body = asking.validated(BatchIn, request.data)
            urls = body["urls"]
        by, now = caller_of(request), timezone.now()
        made = batches.submit(urls, strategy=body.get("strategy", ""), by=by, now=now)
        told = {"batch_id": made.batch.pk, "jobs": [of_batch(job) for job in made.jobs]}
        return Response(BatchAcceptedOut(told).data, status=status.HTTP_202_ACCEPTED)


class JobList(APIView):
    """The caller's jobs; staff see all."""

    permission_classes = (InAnalysis,)

    @extend_schema(
        operation_id="jobs_list",
        summary="List jobs",
        parameters=[OpenApiParameter("status", OpenApiTypes.STR, enum=RunStatus.values), *PAGE],
        responses={200: JobOut(many=True), **WRONG},
    )
    def get(self, request: Request) -> Response:
        found = jobs.with_all(counted=True).visible_to(caller_of(request))
        if wanted := asking.parameter(request, "status", known=RunStatus.values):
            found = found.in_status(wanted)
        pages = Newest()
        page: Any = pages.paginate_queryset(found, request, view=self)
        shown = [reading.listed_job(job) for job in page]
        return pages.get_paginated_response(JobOut(shown, many=True).data)


class JobDetail(APIView):
    """One job."""

    permission_classes = (InAnalysis,)

    @extend_schema(operation_id="jobs_get", summary="Show a job", responses={200: JobOut})
    def get(self, request: Request, job_id: UUID) -> Response:
        job = jobs.find(job_id, by=caller_of(request))
        return Response(JobOut(reading.job_state(job)).data)


class JobCancel(APIView):
    """Takes the asker off the work."""

    permission_classes = (InAnalysis,)

    @extend_schema(
        operation_id="jobs_cancel",
        summary="Cancel a job; the work stops when nobody else waits for it",
        request=None,
        responses={202: JobOut, (409, JSON): problem("job_ended", 409, "The job has ended")},
    )
    @noted("Canceled", about=Job, owner="owner_id")
    def post(self, request: Request, job_id: UUID) -> Response:
        asking.validated(Input, request.data)
        by = caller_of(request)
        job = jobs.cancel(jobs.find(job_id, by=by), by=by, now=timezone.now())
        told = JobOut(reading.job_state(job)).data
        return Response(told, status=status.HTTP_202_ACCEPTED)


class JobRetry(APIView):
    """Asks for the same again."""

    permission_classes = (InAnalysis,)

    @extend_schema(
        operation_id="jobs_retry",
        summary="Try a job again that failed or was canceled; of a partial one what is missing",
        request=None,
        responses={
            202: JobOut,
            (409, JSON): problem("nothing_to_retry", 409, "Nothing to try again, or not yet"),
            (429, JSON): HELD[429, JSON],
        },
    )
    @noted("Asked again", about=Job, owner="owner_id")
    def post(self, request: Request, job_id: UUID) -> Response:
        asking.validated(Input, request.data)
        by = caller_of(request)
        job = jobs.retry(jobs.find(job_id, by=by), by=by, now=timezone.now())
        told = JobOut(reading.job_state(jobs.find(job.pk, by=by))).data
        return Response(told, status=status.HTTP_202_ACCEPTED)


def _batch(batch: Batch) -> dict[str, Any]:
    mine = Job.objects.filter(batch=batch).select_related("run", "analysis__video")
    listed = [of_batch(job) for job in mine.order_by("created_at", "pk")]
    return {**following.batch_state(batch), "jobs": listed}


class BatchDetail(APIView):
    """One batch."""

    permission_classes = (InAnalysis,)

    @extend_schema(operation_id="batches_get", summary="Show a batch", responses={200: BatchOut})
    def get(self, request: Request, batch_id: UUID) -> Response:
        return Response(BatchOut(_batch(batches.find(batch_id, by=caller_of(request)))).data)


class BatchCancel(APIView):
    """Cancels what is left of a batch."""

    permission_classes = (InAnalysis,)

    @extend_schema(
        operation_id="batches_cancel",
        summary="Cancel all jobs of a batch that have not ended",
        request=None,
        responses={202: BatchOut, (409, JSON): problem("batch_ended", 409, "It has ended")},
    )
    @noted("Canceled", about=Batch, owner="owner_id")
    def post(self, request: Request, batch_id: UUID) -> Response:
        asking.validated(Input, request.data)
        by = caller_of(request)
        batch = batches.cancel(batches.find(batch_id, by=by), by=by, now=timezone.now())
        return Response(BatchOut(_batch(batch)).data, status=status.HTTP_202_ACCEPTED)


class StrategyList(APIView):
    """The strategies in use."""

    permission_classes = (InAnalysis,)

    @extend_schema(
        operation_id="strategies_list",
        summary="List the strategies that a job may name",
        parameters=PAGE,
        responses={200: StrategyOut(many=True)},
    )
    def get(self, request: Request) -> Response:
        pages = ByName()
        found = Strategy.objects.filter(is_enabled=True)
        page: Any = pages.paginate_queryset(found, request, view=self)
        shown = [strategies.state_of(strategy) for strategy in page]
        return pages.get_paginated_response(StrategyOut(shown, many=True).data)
