"""Metrics of the floor: of runs, loops and processes, read from the database when asked for.

Read at scrape time they are right however many processes there are, and after restarts.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from django.db import DatabaseError
from django.db.models import Count
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from prometheus_client import REGISTRY, CollectorRegistry, multiprocess, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from project.core import kinds
from project.core.choices import UNENDED, RunStatus
from project.core.models import ProcessHeartbeat, Run, TaskTotals

Source = Callable[[], Iterable[Metric]]
_sources: list[Source] = []
_without_database: set[Source] = set()


def register(source: Source) -> Source:
    """Let ``source`` tell metrics at each scrape; for what the database knows best."""
    if source not in _sources:
        _sources.append(source)
    return source


def register_without_database(source: Source) -> Source:
    """Let ``source`` tell metrics at each scrape, while the database is away too."""
    _without_database.add(source)
    return register(source)


class FromDatabase(Collector):
    """Collects what the registered sources read from the database."""

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of all sources; of those without a database while it is away."""
        up = GaugeMetricFamily("database_up", "1 while the database answers the metrics' queries")
        found: list[Metric] = []
        is_up = True
        for source in _sources:
            if not is_up and source not in _without_database:
                continue  # each would only wait for itself
            try:
                found += source()
            except DatabaseError:
                is_up = False
        up.add_metric([], float(is_up))
        yield up
        yield from found


def serve(port: int) -> None:
    """Tell what this process counted, at ``port``, from a thread of its own.

    For workers and beats in containers of their own; where processes share a folder, each web
    process tells what all have counted.
    """
    registry: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    start_http_server(port, registry=registry)


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
    jobs = PeriodicTask.objects.filter(enabled=True).select_related("interval", "crontab")
    periods = {job.task: found for job in jobs if (found := _period_s(job)) is not None}
    last = _last_durations()
    for loop, names in _loops().items():
        active.add_metric([loop], float(bool(running.intersection(names))))
        if known := [periods[name] for name in names if name in periods]:
            period.add_metric([loop], min(known))
        if ended := [last[name] for name in names if name in last]:
            duration.add_metric([loop], max(ended)[1])
    return [active, period, duration]


def _loops() -> dict[str, list[str]]:
    """Return the kinds of run of each loop: several may belong to one."""
    found: dict[str, list[str]] = {}
    for kind in kinds.known().values():
        if kind.loop:
            found.setdefault(kind.loop, []).append(kind.name)
    return found


def _last_durations() -> dict[str, tuple[datetime, float]]:
    """Return for each kind when its last run ended, and how long it took."""
    ended = TaskTotals.objects.filter(last_ended_at__isnull=False, last_duration_s__isnull=False)
    rows = ended.values_list("kind", "last_ended_at", "last_duration_s")
    return {
        kind: (at, duration_s) for kind, at, duration_s in rows if at and duration_s is not None
    }


def _period_s(job: PeriodicTask) -> float | None:
    """Return the seconds between two runs of a periodic job; of a daily one, a day."""
    if job.interval is not None:
        return float(job.interval.schedule.run_every.total_seconds())
    if job.crontab is None:
        return None
    schedule = job.crontab.schedule
    first, wait, _ = schedule.remaining_delta(schedule.maybe_make_aware(schedule.now()))
    due = first + wait
    again, wait, _ = schedule.remaining_delta(due)
    return float((again + wait - due).total_seconds())


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
