"""What is open to everybody: where everything is, health, metrics."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiResponse, extend_schema
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
    multiprocess,
)
from rest_framework.response import Response
from rest_framework.views import APIView

from project.core import health, metrics, tallies, version
from project.core.api.permissions import Anybody
from project.core.api.serializers import HealthOut

if TYPE_CHECKING:
    from rest_framework.request import Request

PLACES: Final = {
    "admin": "/admin/",
    "account": "/account",
    "api": "/api/docs/",
    "schema": "/api/schema/",
    "health": "/api/health",
    "ready": "/health/ready",
    "live": "/health/live",
    "metrics": "/metrics",
}


@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Tell a person, or a program, where everything is."""
    facts: dict[str, Any] = {
        "name": "Millrace",
        "version": version.NUMBER,
        "commit": version.commit(),
        "places": PLACES,
    }
    if request.accepts("text/html") and "text/html" in request.headers.get("Accept", ""):
        return render(request, "home.html", {**facts, "health": health.summary(now=timezone.now())})
    return JsonResponse(facts)


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer while the process lives."""
    return JsonResponse({"status": "alive"})


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 while this installation can serve, with each dependency's time."""
    probes = health.probe_all(now=timezone.now())
    is_ready = health.is_ready(probes)
    body = {
        "status": "ready" if is_ready else "not_ready",
        "version": version.NUMBER,
        "checks": {probe.name: probe.as_dict() for probe in probes},
    }
    return JsonResponse(body, status=200 if is_ready else 503)


@require_safe
def to_health(request: HttpRequest) -> HttpResponse:
    """Lead ``/health`` to the summary."""
    return HttpResponseRedirect("/api/health")


@require_safe
def exposition(request: HttpRequest) -> HttpResponse:
    """Answer the metrics of all processes in Prometheus' text format."""
    if not settings.METRICS_PUBLIC and not getattr(request.user, "is_staff", False):
        return HttpResponse(status=404)
    tallies.count()
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    whole = CollectorRegistry()
    metrics.add_to(whole)
    text = generate_latest(registry) + generate_latest(whole)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


class Health(APIView):
    """Whether the installation works."""

    permission_classes = (Anybody,)
    authentication_classes = ()

    @extend_schema(
        operation_id="health",
        summary="Health of the installation",
        auth=[],
        responses={
            200: HealthOut,
            503: OpenApiResponse(HealthOut, description="Unhealthy: a dependency is down"),
        },
    )
    def get(self, request: Request) -> Response:
        found = health.summary(now=timezone.now())
        return Response(found, status=503 if found["status"] == "unhealthy" else 200)
