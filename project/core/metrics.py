"""Metrics of the floor: of runs, loops and processes, read from the database when asked for.

Read at scrape time they are right however many processes there are, and after restarts.
"""

from collections.abc import Callable, Iterable, Iterator

from django.db import DatabaseError
from django.db.models import Count
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from project.core import kinds
from project.core.choices import UNENDED, RunStatus
from project.core.models import ProcessHeartbeat, Run, TaskTotals

Source = Callable[[], Iterable[Metric]]
_sources: list[Source] = []


def register(source: Source) -> Source:
    """Let ``source`` tell metrics at each scrape; for what the database knows best."""
    if source not in _sources:
        _sources.append(source)
    return source


class FromDatabase(Collector):
    """Collects what the registered sources read from the database."""

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of all sources; of none while the database is away."""
        down = GaugeMetricFamily("database_up", "1 while the database answers the metrics' queries")
        try:
            found = [metric for source in _sources for metric in source()]
        except DatabaseError:
            down.add_metric([], 0)
            yield down
            return
        down.add_metric([], 1)
        yield down
        yield from found


def add_to(registry: CollectorRegistry) -> None:
    """Let ``registry`` collect from the database."""
    registry.register(FromDatabase())


@register
def runs() -> list[Metric]:
    """Return how many runs wait and work, by kind."""
    unended = GaugeMetricFamily("runs_unended", "Runs that wait or work", labels=["kind", "status"])
    rows = Run.objects.filter(status__in=UNENDED).order_by().values_list("kind", "status")
    for kind, status, count in rows.annotate(count=Count("pk")):
        unended.add_metric([kind, status], count)
    return [unended]


@register
def tasks() -> list[Metric]:
    """Return totals and last errors per kind of run."""
    ended = CounterMetricFamily("task_runs", "Runs ended", labels=["task", "outcome"])
    failures = CounterMetricFamily("task_failures", "Runs failed", labels=["task"])
    restarts = CounterMetricFamily(
        "task_restarts", "Runs taken over from a dead worker", labels=["task"]
    )
    errors = InfoMetricFamily("task_last_error", "The last failure", labels=["task"])
    for row in TaskTotals.objects.all():
        for outcome in ("done", "failed", "canceled"):
            ended.add_metric([row.kind, outcome], getattr(row, outcome))
        failures.add_metric([row.kind], row.failed)
        restarts.add_metric([row.kind], row.restarts)
        if row.last_error_type:
            message = row.last_error_message[:200]
            errors.add_metric([row.kind], {"type": row.last_error_type, "message": message})
    return [ended, failures, restarts, errors]


@register
def loops() -> list[Metric]:
    """Return for each of the product's loops whether it works, its period and last duration."""
    active = GaugeMetricFamily("loop_active", "1 while a run of the loop works", labels=["loop"])
    period = GaugeMetricFamily("loop_period_seconds", "Time between two runs", labels=["loop"])
    duration = GaugeMetricFamily("loop_duration_seconds", "Last run's duration", labels=["loop"])
    running = set(Run.objects.filter(status=RunStatus.RUNNING).values_list("kind", flat=True))
    totals = {row.kind: row for row in TaskTotals.objects.all()}
    jobs = PeriodicTask.objects.filter(enabled=True, interval__isnull=False)
    periods = {
        job.task: job.interval.schedule.run_every.total_seconds()
        for job in jobs.select_related("interval")
    }
    for kind in kinds.known().values():
        if not kind.loop:
            continue
        active.add_metric([kind.loop], float(kind.name in running))
        if kind.name in periods:
            period.add_metric([kind.loop], periods[kind.name])
        if (row := totals.get(kind.name)) is not None and row.last_duration_s is not None:
            duration.add_metric([kind.loop], row.last_duration_s)
    return [active, period, duration]


@register
def processes() -> list[Metric]:
    """Return the age of the latest sign of life of each role."""
    age = GaugeMetricFamily(
        "process_heartbeat_age_seconds", "Age of the latest sign of life", labels=["role"]
    )
    now = timezone.now()
    latest: dict[str, float] = {}
    for role, beat_at in ProcessHeartbeat.objects.values_list("role", "beat_at"):
        seconds = (now - beat_at).total_seconds()
        latest[role] = min(seconds, latest.get(role, seconds))
    for role, seconds in latest.items():
        age.add_metric([role], seconds)
    return [age]
