"""Traces, as a collector of OpenTelemetry on loopback receives them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from project.core import tracing
from tests.project import sinks

Spans = Callable[[], dict[str, Any]]


@contextmanager
def received(monkeypatch: Any, settings: Any) -> Iterator[Spans]:
    """Switch traces on; gives what sends the spans and returns those that came, by name."""
    with sinks.running() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{sink.port}")
        settings.TRACING = True
        connection.execute_wrappers.append(tracing._count)

        def sent() -> dict[str, Any]:
            tracing.shut()
            assert {path for path, _ in sink.taken} == {"/v1/traces"}
            return {
                span.name: span
                for _, body in sink.taken
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            }

        yield sent
        connection.execute_wrappers.remove(tracing._count)
        tracing.shut()
