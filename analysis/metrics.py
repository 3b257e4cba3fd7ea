"""What the app counts, and what it reads from the database at each scrape."""

from datetime import timedelta
from typing import Final

from django.db.models import Count
from django.utils import timezone
from prometheus_client import Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from analysis import kinds
from analysis.choices import Outcome
from analysis.models import Analysis, Failure, Job, Place
from project.core import metrics
from project.core.choices import FINAL, RunStatus
from project.core.models import Run

#: The success of geocoding is that of what was finished since.
LATELY: Final = timedelta(hours=24)
PHASE_SECONDS: Final = Histogram(
    "phase_duration_seconds",
    "Time that a phase of a job took",
    ["phase"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900),
)
TOKENS: Final = Counter("tokens_total", "Tokens that models read and wrote", ["direction", "model"])
CACHE: Final = Counter(
    "analysis_cache_total", "Results asked for, by whether they were there already", ["result"]
)


@metrics.register
def jobs() -> list[Metric]:
    """Return how many jobs ended how, how many work, and how well places are located."""
    ended = CounterMetricFamily("jobs", "Jobs ended", labels=["status"])
    rows = Job.objects.filter(final_status__in=FINAL).order_by().values_list("final_status")
    counts = dict(rows.annotate(count=Count("pk")))
    for status in FINAL:
        ended.add_metric([status], counts.get(status, 0))
    failures = CounterMetricFamily("job_failures", "Jobs failed, by kind", labels=["type"])
    rows = Job.objects.filter(final_status=RunStatus.FAILED).order_by().values_list("error_type")
    kinds_of_failure = dict(rows.annotate(count=Count("pk")))
    for name in sorted({"deterministic", "transient", *kinds_of_failure}):
        failures.add_metric([name], kinds_of_failure.get(name, 0))
    running = GaugeMetricFamily("jobs_running", "Analyses that are being worked at")
    at_work = Run.objects.filter(kind=kinds.JOB.name, status=RunStatus.RUNNING)
    running.add_metric([], at_work.count())
    ratio = GaugeMetricFamily(
        "geocode_success_ratio", "Places located of those named, of results of the last 24 h"
    )
    lately = Analysis.objects.filter(finished_at__gte=timezone.now() - LATELY)
    lately = lately.exclude(outcome=Outcome.NONE).order_by()
    located = Place.objects.filter(analysis__in=lately).count()
    failed = Failure.objects.filter(analysis__in=lately).count()
    if located + failed:
        ratio.add_metric([], located / (located + failed))
    return [ended, failures, running, ratio]
