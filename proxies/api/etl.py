"""The receiving side of the ETL sync: snapshots of other installations, and whether they may come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from project.core import version
from project.core.api.callers import caller_of
from project.core.api.permissions import Anybody, IsStaff
from project.core.api.schema import problem
from project.core.api.serializers import Input, IssueOut
from proxies import receiving

if TYPE_CHECKING:
    from rest_framework.request import Request

_MOST_SOURCES: Final = 10_000
_LONGEST_NAME: Final = 100
_REUSED: Final = {
    (422, "application/problem+json"): problem(
        "idempotency_key_reused", 422, "The key belongs to another snapshot, or a field is wrong"
    )
}


def size_or_object(told: Any) -> None:
    """Refuse what is neither a pool's size nor an object with more."""
    is_size = isinstance(told, int) and not isinstance(told, bool) and told >= 0
    if not is_size and not isinstance(told, dict):
        raise serializers.ValidationError("a size, or an object", code="invalid")


class SourceField(serializers.DictField):
    """What is told of one source: an object with a name."""

    def to_internal_value(self, data: Any) -> Any:
        """Want a name; whatever else there is, is kept."""
        found = super().to_internal_value(data)
        name = found.get("name")
        if not isinstance(name, str) or not name.strip():
            raise serializers.ValidationError({"name": ["a source has a name"]}, code="required")
        return found


def storable(told: Any) -> None:
    """Refuse what JSON may say and no database keeps: numbers beyond 64 bits, and zero letters."""
    try:
        written = orjson.dumps(told)
    except TypeError as error:
        raise serializers.ValidationError("a number is too large", code="invalid") from error
    if b"\\u0000" in written.replace(b"\\\\", b""):
        raise serializers.ValidationError("Null characters are not allowed.", code="invalid")


class SnapshotIn(Input):
    """What an installation tells of its pools."""

    version = serializers.CharField(max_length=_LONGEST_NAME)
    commit = serializers.CharField(max_length=_LONGEST_NAME, allow_blank=True)
    timestamp = serializers.DateTimeField()
    pools = serializers.DictField(
        child=serializers.JSONField(validators=[size_or_object]),
        help_text="size, or an object, by name of pool",
        validators=[storable],
    )
    sources = serializers.ListField(
        child=SourceField(), max_length=_MOST_SOURCES, validators=[storable]
    )


class TakenOut(serializers.Serializer[Any]):
    """That a snapshot is kept."""

    id = serializers.IntegerField()
    received_at = serializers.DateTimeField()
    duplicate = serializers.BooleanField(source="is_duplicate", help_text="it was there before")


class EtlHealthOut(serializers.Serializer[Any]):
    """Whether snapshots may come."""

    status = serializers.ChoiceField(choices=["healthy", "degraded", "unhealthy"])
    timestamp = serializers.DateTimeField()
    version = serializers.CharField()
    commit = serializers.CharField()
    db_connected = serializers.BooleanField()
    redis_connected = serializers.BooleanField(
        allow_null=True, help_text="null: none is configured"
    )
    issues = IssueOut(many=True)


class PlacesOut(serializers.Serializer[Any]):
    """Where snapshots go, and where their health is told."""

    snapshots = serializers.CharField()
    health = serializers.CharField()


class EtlRootOut(serializers.Serializer[Any]):
    """Which installation this is."""

    name = serializers.CharField()
    version = serializers.CharField()
    commit = serializers.CharField()
    endpoints = PlacesOut()


class Root(APIView):
    """What there is."""

    permission_classes = (Anybody,)

    @extend_schema(operation_id="etl", summary="Endpoints of the ETL sync", responses=EtlRootOut)
    def get(self, request: Request) -> Response:
        places = {"snapshots": "/api/etl/snapshots", "health": "/api/etl/health"}
        found = {"version": version.NUMBER, "commit": version.commit(), "endpoints": places}
        return Response({"name": "Millrace", **found})


class Health(APIView):
    """Whether snapshots may come."""

    permission_classes = (Anybody,)
    authentication_classes = ()

    @extend_schema(
        operation_id="etl_health",
        summary="Health of the receiving side",
        auth=[],
        responses={
            200: EtlHealthOut,
            503: OpenApiResponse(EtlHealthOut, description="Unhealthy: a dependency is down"),
        },
    )
    def get(self, request: Request) -> Response:
        found = receiving.health_of(now=timezone.now())
        return Response(found, status=503 if found["status"] == "unhealthy" else 200)


class Snapshots(APIView):
    """Snapshots of other installations."""

    permission_classes = (IsStaff,)

    @extend_schema(
        operation_id="etl_snapshots_receive",
        summary="Take in a snapshot; the same one again is answered, not kept twice",
        request=SnapshotIn,
        parameters=[
            OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=False)
        ],
        responses={201: TakenOut, 200: TakenOut, **_REUSED},
    )
    def post(self, request: Request) -> Response:
        asked = SnapshotIn(data=request.data)
        asked.is_valid(raise_exception=True)
        taken = receiving.take(
            receiving.Told(**asked.validated_data),
            key=request.headers.get("Idempotency-Key", ""),
            by=caller_of(request),
            now=timezone.now(),
        )
        code = status.HTTP_200_OK if taken.is_duplicate else status.HTTP_201_CREATED
        return Response(TakenOut(taken).data, status=code)
