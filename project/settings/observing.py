"""Logs, metrics, traces, reports of bugs."""

import os
import sys

from project.settings import env
from project.settings.base import DATA_DIR, ENVIRONMENT

LOG_FORMAT = env.text("LOG_FORMAT", "json" if ENVIRONMENT == env.PRODUCTION else "console")
LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
LOGGING_CONFIG = "project.core.logs.configure"
LOGGING = {"format": LOG_FORMAT, "level": LOG_LEVEL}

#: Counters of all processes add up in files of this folder; it must be named before
#: prometheus_client is imported, and tests count in their own process.
METRICS_DIR = DATA_DIR / "metrics"
if "pytest" not in sys.modules:
    METRICS_DIR.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(METRICS_DIR))
#: Where a worker or beat tells what it counted, for processes that share no folder; 0: nowhere.
METRICS_PORT = env.whole("METRICS_PORT", 0)
#: Traces are made where a collector of OpenTelemetry is named; its SDK reads the rest by itself.
TRACING = bool(
    env.text("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    or env.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
) and not env.flag("OTEL_SDK_DISABLED", default=False)
OTEL_SERVICE_NAME = env.text("OTEL_SERVICE_NAME", "millrace")
#: Where people look at a trace, with ``{trace_id}`` for its id; empty: run pages name the id alone.
TRACE_URL = env.url("TRACE_URL", "", schemes=("https", "http"))
#: Where bugs are reported to, with the key that Sentry gave; empty: nowhere.
SENTRY_DSN = env.url("SENTRY_DSN", "", schemes=("https", "http"))
METRICS_PUBLIC = env.flag("METRICS_PUBLIC", default=True)
PROMETHEUS_EXPORT_MIGRATIONS = False
PROMETHEUS_LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
