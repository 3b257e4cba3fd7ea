"""Traces: what one request set off, from the web through its runs to the calls outside.

Off unless ``OTEL_EXPORTER_OTLP_ENDPOINT`` names a collector; neither tracer nor exporter is
loaded then, and a span costs one look at the settings. Texts of failures are never told, since they
may hold secrets: the log line with the same trace id has them, scrubbed.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Final

import structlog
from django.conf import settings
from django.db.backends.signals import connection_created
from django.http import HttpRequest

#: Asked for every few seconds by machines: traces of them would hide the others.
_QUIET: Final = ("/health/", "/metrics")
_SERVER_ERROR: Final = 500
_NOTHING: Final = nullcontext()
_lock: Final = threading.Lock()
_providers: Final[list[Any]] = []
#: Statements of the innermost span and their seconds, summed: one span each would cost too much.
_statements: Final[ContextVar[list[float] | None]] = ContextVar("statements", default=None)


def span(name: str, **attributes: Any) -> AbstractContextManager[None]:
    """Time the block as a span ``name``; nothing happens where traces are off.

    Args:
        name: one of few, e.g. ``"proxies.lease"``; what differs goes into ``attributes``.
        attributes: plain values without secrets; ``__`` in a name stands for a dot.
    """
    return _live(name, attributes) if settings.TRACING else _NOTHING


def task(name: str, carried_on: str, **attributes: Any) -> AbstractContextManager[None]:
    """Time the block as a span ``name`` in the trace that ``carried_on`` (of ``carried``) names."""
    if not settings.TRACING:
        return _NOTHING
    return _live(name, attributes, parent=_context(carried_on), kind="CONSUMER")


def carried() -> str:
    """Return what another process needs to go on with this trace; empty without one."""
    if not settings.TRACING:
        return ""
    from opentelemetry.trace.propagation import tracecontext  # noqa: PLC0415 -- only when on

    carrier: dict[str, str] = {}
    tracecontext.TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


def name_request(request: HttpRequest) -> None:
    """Name the span of a request by the route that it took: paths are too many to be counted."""
    match = request.resolver_match
    if not settings.TRACING or match is None:
        return
    from opentelemetry import trace  # noqa: PLC0415 -- only when on

    current = trace.get_current_span()
    current.update_name(f"{request.method} /{match.route}")
    current.set_attribute("http.route", f"/{match.route}")


def connect() -> None:
    """Let the statements of every connection that is opened from now on be counted."""
    connection_created.connect(_watch, dispatch_uid="tracing")


def shut() -> None:
    """Send what is still held, and forget the collector; the next span begins anew."""
    with _lock:
        while _providers:
            _providers.pop().shutdown()


class Traced:
    """An ASGI application whose answers over HTTP are spans."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one connection."""
        is_told = settings.TRACING and scope["type"] == "http"
        if not is_told or scope["path"].startswith((*_QUIET, settings.STATIC_URL)):
            await self.app(scope, receive, send)
            return
        from opentelemetry import trace  # noqa: PLC0415 -- only when on

        given = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
        about = {"http__request__method": scope["method"], "url__path": scope["path"]}
        parent = _context(given.decode("latin-1"))
        with _live(scope["method"], about, parent=parent, kind="SERVER"):
            current = trace.get_current_span()

            async def send_told(message: dict[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    current.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= _SERVER_ERROR:
                        current.set_status(trace.Status(trace.StatusCode.ERROR))
                await send(message)

            await self.app(scope, receive, send_told)


@contextmanager
def _live(
    name: str, attributes: dict[str, Any], *, parent: Any = None, kind: str = "INTERNAL"
) -> Iterator[None]:
    from opentelemetry import trace  # noqa: PLC0415 -- only when on

    bound = structlog.contextvars.get_contextvars()
    told = {name.replace("__", "."): value for name, value in attributes.items()}
    told |= {f"{of}.id": bound[f"{of}_id"] for of in ("request", "run") if bound.get(f"{of}_id")}
    counted = [0.0, 0.0]
    before = _statements.set(counted)
    tracer = _provider().get_tracer("millrace")
    with tracer.start_as_current_span(
        name,
        context=parent,
        kind=trace.SpanKind[kind],
        attributes=told,
        record_exception=False,
        set_status_on_exception=False,
    ) as live:
        trace_id = format(live.get_span_context().trace_id, "032x")
        try:
            with structlog.contextvars.bound_contextvars(trace_id=trace_id):
                yield
        except Exception as error:
            live.set_attribute("error.type", type(error).__name__)
            live.set_status(trace.Status(trace.StatusCode.ERROR))
            raise
        finally:
            _statements.reset(before)
            if counted[0]:
                live.set_attribute("db.statements", int(counted[0]))
                live.set_attribute("db.seconds", round(counted[1], 6))


def _context(traceparent: str) -> Any:
    from opentelemetry.context import Context  # noqa: PLC0415 -- only when on
    from opentelemetry.trace.propagation import tracecontext  # noqa: PLC0415 -- as above

    propagator = tracecontext.TraceContextTextMapPropagator()
    return propagator.extract({"traceparent": traceparent}, context=Context())


def _provider() -> Any:
    if _providers:
        return _providers[0]
    from opentelemetry.exporter.otlp.proto.http import trace_exporter  # noqa: PLC0415 -- only when on
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 -- as above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 -- as above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 -- as above

    with _lock:
        if not _providers:  # addresses, headers, sampling: read by the SDK from the environment
            about = {
                "service.name": settings.OTEL_SERVICE_NAME,
                "host.name": socket.gethostname(),
                "process.pid": os.getpid(),  # tells web and worker of one trace apart
            }
            made = TracerProvider(resource=Resource.create(about))
            made.add_span_processor(BatchSpanProcessor(trace_exporter.OTLPSpanExporter()))
            _providers.append(made)
        return _providers[0]


def _watch(connection: Any, **_: object) -> None:
    if _count not in connection.execute_wrappers:
        connection.execute_wrappers.append(_count)


def _count(
    execute: Callable[..., Any],
    sql: str,
    params: Any,
    many: bool,  # noqa: FBT001 -- as Django calls it
    context: dict[str, Any],
) -> Any:
    counted = _statements.get()
    if counted is None:
        return execute(sql, params, many, context)
    began_s = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        counted[0] += 1
        counted[1] += time.perf_counter() - began_s
