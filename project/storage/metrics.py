"""Metrics of backups, from the database, and of this process's pools, from memory."""

from collections.abc import Mapping
from typing import Final

from django.utils import timezone
from prometheus_client import Counter, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric

from project.core import metrics
from project.db.recording import ErrorKind, Event
from project.db.statistics import PoolStatistics
from project.storage.models import Backup

_SUMMED: Final = {
    "size": "Connections open",
    "in_use": "Connections lent",
    "idle": "Connections free",
    "waiting": "Requests that wait for a connection",
    "writers_waiting": "Writers that wait for their turn",
    "max_size": "Connections allowed",
}
_WORST: Final = {
    f"{what}_{share}_seconds": f"{about}, {share.upper()} of the last 10 s, worst process"
    for what, about in (
        ("wait", "Wait for a connection"),
        ("use", "Use of a connection"),
        ("write_wait", "Wait for the turn to write"),
        ("write", "Write transactions"),
    )
    for share in ("p50", "p95", "p99")
}
_DISK: Final = {
    "database_bytes": "Size of the database file",
    "wal_bytes": "Size of the WAL",
    "free_bytes": "Room on the database's disk",
}
#: The same names for SQLite and PostgreSQL; those of ``PoolStatistics.figures``.
GAUGES: Final[Mapping[str, Gauge]] = {
    **{
        name: Gauge(f"db_pool_{name}", text, ["alias"], multiprocess_mode="livesum")
        for name, text in _SUMMED.items()
    },
    **{
        name: Gauge(f"db_pool_{name}", text, ["alias"], multiprocess_mode="livemax")
        for name, text in _WORST.items()
    },
    **{
        name: Gauge(f"db_{name}", text, ["alias"], multiprocess_mode="livemax")
        for name, text in _DISK.items()
    },
}
ERRORS: Final = Counter("db_pool_errors", "Errors of a database, by kind", ["alias", "kind"])
EVENTS: Final = Counter("db_pool_events", "What happened to connections", ["alias", "event"])


def show(now: PoolStatistics, before: PoolStatistics | None) -> None:
    """Let the metrics say what ``now`` says.

    Args:
        now: the newest snapshot of a pool of this process.
        before: the one before it, from which counters are moved on.
    """
    figures = now.figures()
    for name, gauge in GAUGES.items():
        gauge.labels(now.alias).set(figures[name])
    for kind in ErrorKind:
        old = before.errors.get(kind, 0) if before else 0
        if (added := now.errors.get(kind, 0) - old) > 0:
            ERRORS.labels(now.alias, kind).inc(added)
    for event in Event:
        old = before.events.get(event, 0) if before else 0
        if (added := now.events.get(event, 0) - old) > 0:
            EVENTS.labels(now.alias, event).inc(added)


@metrics.register
def backups() -> list[Metric]:
    """Return age and size of the last good backup, and how many there are."""
    age = GaugeMetricFamily("backup_age_seconds", "Age of the last good backup")
    size = GaugeMetricFamily("backup_size_bytes", "Size of the last good backup's file")
    good = GaugeMetricFamily("backups_good", "Good backups that are kept")
    found = Backup.objects.good()
    last = found.only("made_at", "size_bytes").first()
    if last is not None:
        age.add_metric([], (timezone.now() - last.made_at).total_seconds())
        size.add_metric([], last.size_bytes)
    good.add_metric([], found.count())
    return [age, size, good]
