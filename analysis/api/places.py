"""The places of videos over REST: reading, correcting, trying again what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis import amending, jobs, reading, routes, writing
from analysis.api import asking
from analysis.api.serializers import (
    CorrectionIn,
    CorrectionOut,
    FailuresOut,
    LocationsOut,
    RetryIn,
    RetryOut,
)
from analysis.api.views import HELD, JSON, WRONG, accepted
from analysis.correcting import Shown
from analysis.models import Video
from project.core.api.callers import caller_of
from project.core.api.noting import noted
from project.core.api.permissions import InAnalysis
from project.core.api.schema import problem

if TYPE_CHECKING:
    from rest_framework.request import Request

    from analysis.models import Analysis

_STRATEGY = OpenApiParameter("strategy", OpenApiTypes.STR, description="its hash, or its name")
JSON_FORM: Final = "json"


def _analysis(request: Request, video_id: str) -> Analysis:
    strategy = asking.parameter(request, "strategy")
    return reading.analysis_of(video_id, strategy=strategy, by=caller_of(request))


class Locations(APIView):
    """The places of a video."""

    permission_classes = (InAnalysis,)

    @extend_schema(
        operation_id="videos_locations",
        summary="List the places of a video in the order spoken; while it is at work, those so far",
        parameters=[
            _STRATEGY,
            OpenApiParameter("format", OpenApiTypes.STR, enum=[JSON_FORM, *writing.FORMS]),
        ],
        responses={
            (200, "application/json"): LocationsOut,
            **{(200, form.content_type): OpenApiTypes.STR for form in writing.FORMS.values()},
            **WRONG,
        },
    )
    def get(self, request: Request, video_id: str) -> Response | HttpResponse:
        wanted = asking.parameter(request, "format", known=(JSON_FORM, *writing.FORMS))
        analysis = _analysis(request, video_id)
        found = reading.locations(analysis, by=caller_of(request))
        if wanted in ("", JSON_FORM):
            return Response(LocationsOut(found).data)
        video = analysis.video
        route = writing.route_of(
            found["routes"], video_id=video_id, title=video.title, video_url=video.url
        )
        body, form = writing.written(wanted, route)
        answer = HttpResponse(body, content_type=form.content_type)
        answer["Content-Disposition"] = f'attachment; filename="places.{form.ending}"'
        return answer


def _corrected(video_id: str, shown: Shown | None) -> Response:
    told: dict[str, Any] = {"video_id": video_id, "route": shown and routes.of(shown)}
    return Response(CorrectionOut(told).data)


class Location(APIView):
    """One place of a video."""

    permission_classes = (InAnalysis,)

    @extend_schema(
        operation_id="videos_location_correct",
        summary="Put a place right: move, rename, merge or drop it; holds for every later job",
        parameters=[_STRATEGY],
        request=CorrectionIn,
        responses={
            200: CorrectionOut,
            (409, JSON): problem("nothing_to_take_back", 409, "Nothing of yours to take back"),
        },
    )
    @noted(
        "Put a place right for everybody",
        about=Video,
        field="video_id",
        told=("location", "coordinates", "merge_into", "dropped", "taken_back"),
    )
    def patch(self, request: Request, video_id: str, n: int) -> Response:
        body = asking.validated(CorrectionIn, request.data)
        place = body.get("coordinates")
        analysis, by, now = _analysis(request, video_id), caller_of(request), timezone.now()
        if body.get("taken_back"):
            shown = amending.take_back(analysis, n, by=by, now=now)
            return _corrected(video_id, shown)
        wanted = amending.Wanted(
            coordinates=(place[0], place[1]) if place else None,
            name=body.get("location"),
            merge_into=body.get("merge_into"),
            dropped=body.get("dropped"),
        )
        return _corrected(video_id, amending.correct(analysis, n, wanted, by=by, now=now))


class Failures(APIView):
    """The places that are not on the map."""

    permission_classes = (InAnalysis,)

    @extend_schema(
        operation_id="videos_failures",
        summary="List the places that could not be located, and why",
        parameters=[_STRATEGY],
        responses={200: FailuresOut, **WRONG},
    )
    def get(self, request: Request, video_id: str) -> Response:
        found = reading.failures(_analysis(request, video_id), by=caller_of(request))
        return Response(FailuresOut(found).data)


class GeocodeRetry(APIView):
    """Tries places again."""

    permission_classes = (InAnalysis,)

    @extend_schema(
        operation_id="videos_geocode_retry",
        summary="Try places again that are not on the map: those named, else all",
        parameters=[_STRATEGY],
        request=RetryIn,
        responses={
            202: RetryOut,
            (409, JSON): problem("nothing_to_retry", 409, "No place is missing, or tried already"),
            (429, JSON): HELD[429, JSON],
        },
    )
    @noted("Asked for places to be tried again", about=Video, field="video_id", told=("raw",))
    def post(self, request: Request, video_id: str) -> Response:
        body = asking.validated(RetryIn, request.data)
        analysis, by = _analysis(request, video_id), caller_of(request)
        names = body.get("raw", [])
        made = jobs.retry_geocode(analysis, names=names, by=by, now=timezone.now())
        told = {**accepted(made.job), "places": made.places, "retry_of": made.job.retry_of_id}
        return Response(RetryOut(told).data, status=status.HTTP_202_ACCEPTED)
