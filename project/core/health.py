"""Whether the installation works: one probe per dependency, each with its time."""

import resource
import shutil
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import redis
from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from redis.backoff import NoBackoff
from redis.retry import Retry

from project.core import issues, metrics, processes, version
from project.core.choices import Role
from project.core.issues import AMBER, RED, Issue
from project.core.models import ProcessHeartbeat
from project.core.moments import stamp
from project.db import library

DISK_LOW_BYTES: Final = 500 * 1024 * 1024
MEMORY_HIGH_BYTES: Final = 2 * 1024 * 1024 * 1024
PROBE_TIMEOUT_S: Final = 1.0
BROKER_WITHIN_S: Final = 1
DATABASE_WITHIN_S: Final = 2.0


_ALL_APPLIED: Final = "all applied"
#: Which migrations were applied when this process last found that none was missing.
_nothing_missing: frozenset[tuple[str, str]] | None = None
_IN_DATABASE: Final = frozenset({"migrations", "worker", "beat"})


@dataclass(frozen=True, slots=True)
class Probe:
    """What one look at a dependency found."""

    name: str
    is_ok: bool
    took_ms: float
    detail: str
    severity: str = RED

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"ok": self.is_ok, "ms": round(self.took_ms, 1), "detail": self.detail}


class NotWorkingError(Exception):
    """A probe found its dependency not working; the text says why."""


def _ask_database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return f"sqlite {library.version()}" if connection.vendor == "sqlite" else "postgresql"
    finally:
        connection.close()


def _database(now: datetime) -> str:
    # in a thread: a pool may wait for a database that is away longer than anybody for us
    asked = ThreadPoolExecutor(1, "database-probe")
    try:
        return asked.submit(_ask_database).result(DATABASE_WITHIN_S)
    except TimeoutError as error:
        raise NotWorkingError(f"no answer within {DATABASE_WITHIN_S:g} s") from error
    finally:
        asked.shutdown(wait=False, cancel_futures=True)


def _migrations(now: datetime) -> str:
    """Look whether all migrations are applied; the files of a process never change.

    Reading them takes longer than all other looks together: it is done again only where others
    are applied than when nothing was missing.
    """
    global _nothing_missing  # noqa: PLW0603 -- what one process knows
    if _nothing_missing is not None and _nothing_missing == _applied():
        return _ALL_APPLIED
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        raise NotWorkingError(f"{len(plan)} migrations are not applied: run `manage.py migrate`")
    _nothing_missing = _applied()
    return _ALL_APPLIED


def _applied() -> frozenset[tuple[str, str]]:
    rows = MigrationRecorder(connection).migration_qs
    return frozenset(rows.values_list("app", "name"))


def _redis(now: datetime) -> str:
    limits = {"socket_timeout": PROBE_TIMEOUT_S, "socket_connect_timeout": PROBE_TIMEOUT_S}
    with redis.Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **limits) as client:
        client.ping()
    return "answers"


def _broker(now: datetime) -> str:
    with current_app.connection_for_write(connect_timeout=PROBE_TIMEOUT_S) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_WITHIN_S)
        return str(broker.transport.driver_type)


def _alive(role: Role) -> Callable[[datetime], str]:
    def look(now: datetime) -> str:
        alive = ProcessHeartbeat.objects.alive(since=now - processes.SILENT_AFTER)
        count = alive.filter(role=role).count()
        if not count:
            raise NotWorkingError(f"no {role.label.lower()} has given a sign of life lately")
        return f"{count} alive"

    return look


def _disk(now: datetime) -> str:
    free = shutil.disk_usage(settings.DATA_DIR).free
    if free < DISK_LOW_BYTES:
        raise NotWorkingError(f"{free // 2**20} MiB left on the disk of DATA_DIR")
    return f"{free // 2**20} MiB free"


def _memory(now: datetime) -> str:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if used > MEMORY_HIGH_BYTES:
        raise NotWorkingError(f"this process has used {used // 2**20} MiB")
    return f"{used // 2**20} MiB at most in this process"


def _probes() -> list[tuple[str, str, Callable[[datetime], str]]]:
    """Return name, severity and look of each configured dependency."""
    found = [("database", RED, _database), ("migrations", RED, _migrations)]
    if settings.REDIS_URL:
        found.append(("redis", AMBER, _redis))
    return [
        *found,
        ("broker", AMBER, _broker),
        ("worker", AMBER, _alive(Role.WORKER)),
        ("beat", AMBER, _alive(Role.BEAT)),
        ("disk", AMBER, _disk),
        ("memory", AMBER, _memory),
    ]


def probe_some(names: Collection[str], *, now: datetime) -> list[Probe]:
    """Look at those of the configured dependencies that ``names`` has."""
    return [_look(*each, now) for each in _probes() if each[0] in names]


def _look(name: str, severity: str, look: Callable[[datetime], str], now: datetime) -> Probe:
    began = time.perf_counter()
    try:
        detail, is_ok = look(now), True
    except Exception as error:  # noqa: BLE001 -- whatever it is, the dependency does not work
        detail, is_ok = f"{type(error).__name__}: {error}"[:300], False
    return Probe(name, is_ok, (time.perf_counter() - began) * 1000, detail, severity)


def _unasked(now: datetime) -> str:
    raise NotWorkingError("not asked: the database is away")


def probe_all(*, now: datetime) -> list[Probe]:
    """Look at every configured dependency; none that fails stops the rest.

    Those that are read from the database aren't asked while it is away: each would only wait.
    """
    first, *others = _probes()
    database = _look(*first, now)
    found = [database]
    for name, severity, look in others:
        is_blind = not database.is_ok and name in _IN_DATABASE
        found.append(_look(name, severity, _unasked if is_blind else look, now))
    return found


def is_ready(probes: list[Probe]) -> bool:
    """Say whether this process can serve: everything but beat, which others need not wait for."""
    return all(probe.is_ok for probe in probes if probe.name != "beat")


#: Where an issue's button leads: what it says, and the address.
_LOOK_CLOSER: Final = ("Show the probes", "/health/ready")
_WAY_OUT: Final = {
    "worker": ("Show the processes", "/admin/core/processheartbeat/"),
    "beat": ("Show the processes", "/admin/core/processheartbeat/"),
}


def issue_of(probe: Probe) -> Issue:
    """Return what a failed probe is to people."""
    where = _WAY_OUT.get(probe.name, _LOOK_CLOSER)
    text = f"{probe.name}: {probe.detail}"
    return Issue(f"{probe.name}_failing", probe.severity, text, *where)


def status_of(found: Sequence[Issue]) -> str:
    """Return ``healthy``, ``degraded`` or ``unhealthy``."""
    if not found:
        return "healthy"
    return "unhealthy" if any(issue.severity == RED for issue in found) else "degraded"


def all_issues(*, now: datetime) -> list[Issue]:
    """Return the issues of probes and apps, the worst first."""
    return _issues(probe_all(now=now), now=now)


def _issues(probes: Sequence[Probe], *, now: datetime) -> list[Issue]:
    failed = [issue_of(probe) for probe in probes if not probe.is_ok]
    if any(probe.name == "database" and not probe.is_ok for probe in probes):
        return failed  # apps would only repeat it, each after its own time-out
    return sorted([*failed, *issues.current(now=now)], key=lambda found: found.severity != RED)


@metrics.register_without_database
def dependencies() -> list[Metric]:
    """Return which dependencies work, and how many issues stand open."""
    up = GaugeMetricFamily(
        "dependency_up", "1 while a configured dependency works", labels=["dependency"]
    )
    now = timezone.now()
    probes = probe_all(now=now)
    for probe in probes:
        up.add_metric([probe.name], float(probe.is_ok))
    standing = GaugeMetricFamily("issues_open", "Issues that staff see", labels=["severity"])
    found = _issues(probes, now=now)
    for severity in (RED, AMBER):
        standing.add_metric([severity], sum(issue.severity == severity for issue in found))
    return [up, standing]


def summary(*, now: datetime) -> dict[str, Any]:
    """Return what ``/api/health`` answers."""
    found = all_issues(now=now)
    return {
        "status": status_of(found),
        "timestamp": stamp(now),
        "version": version.NUMBER,
        "commit": version.commit(),
        "degraded": bool(found),
        "issues": [issue.as_dict() for issue in found],
    }
