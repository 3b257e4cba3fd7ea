import os
import signal
import socket
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

from project.core import health, issues
from project.core.choices import Role
from project.core.issues import AMBER, RED, Issue
from project.db import library
from tests.factories import make_heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _healthy(now, monkeypatch) -> None:
    """Everything works, and apps know of no issue."""
    make_heartbeat(role=Role.WORKER, beat_at=now)
    make_heartbeat(role=Role.BEAT, beat_at=now)
    monkeypatch.setattr(issues, "_sources", [])
    monkeypatch.setattr(health, "DISK_LOW_BYTES", 0)


def look(now: Any) -> dict[str, health.Probe]:
    return {probe.name: probe for probe in health.probe_all(now=now)}


def failing(now: Any) -> list[str]:
    return [name for name, probe in look(now).items() if not probe.is_ok]


def test_healthy_installation_has_no_issue(now, settings):
    found = health.summary(now=now)

    assert failing(now) == []
    assert (found["status"], found["degraded"], found["issues"]) == ("healthy", False, [])
    assert found["timestamp"] == "2026-01-05T12:00:00.000Z"
    assert set(found) == {"status", "timestamp", "version", "commit", "degraded", "issues"}


def test_probes_tell_their_time(now):
    found = look(now)

    names = ["database", "migrations", "broker", "worker", "beat", "disk", "memory"]
    assert [name for name in found if name != "redis"] == names
    assert all(probe.took_ms > 0 for probe in found.values())
    assert found["database"].as_dict() == {
        "ok": True,
        "ms": round(found["database"].took_ms, 1),
        "detail": found["database"].detail,
    }
    version = f" {library.version()}" if connection.vendor == "sqlite" else ""
    assert found["database"].detail == f"{connection.vendor}{version}"


def fail(*args: Any, **kwargs: Any) -> Any:
    raise DatabaseError("gone away")


@pytest.mark.parametrize(
    ("role", "name"), [(Role.WORKER, "worker"), (Role.BEAT, "beat")], ids=["worker", "beat"]
)
def test_silent_process_degrades(role, name, now):
    later = now + timedelta(seconds=15, milliseconds=1)
    make_heartbeat(role=Role.BEAT if role == Role.WORKER else Role.WORKER, beat_at=later)

    assert failing(later) == [name]
    found = health.summary(now=later)
    assert (found["status"], found["degraded"]) == ("degraded", True)
    assert [issue["code"] for issue in found["issues"]] == [f"{name}_failing"]
    assert "sign of life" in found["issues"][0]["text"]


def test_full_disk_degrades(now, monkeypatch):
    monkeypatch.setattr(health, "DISK_LOW_BYTES", 2**62)

    assert failing(now) == ["disk"]


def test_outgrown_memory_degrades(now, monkeypatch):
    monkeypatch.setattr(health, "MEMORY_HIGH_BYTES", 1)

    assert failing(now) == ["memory"]


def test_missing_migration_is_unhealthy(now, monkeypatch):
    from django.db.migrations.executor import MigrationExecutor

    monkeypatch.setattr(health, "_nothing_missing", None)
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [("core", "0009")])

    found = health.summary(now=now)

    assert failing(now) == ["migrations"]
    assert found["status"] == "unhealthy"
    assert "manage.py migrate" in found["issues"][0]["text"]


def test_migrations_are_read_from_disk_once_and_missing_ones_are_seen(
    now, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(health, "_nothing_missing", None)
    assert health.probe_some({"migrations"}, now=now)[0].is_ok

    with django_assert_num_queries(1):
        (again,) = health.probe_some({"migrations"}, now=now)
    MigrationRecorder.Migration.objects.filter(app="core").latest("pk").delete()
    (missing,) = health.probe_some({"migrations"}, now=now)

    assert (again.is_ok, again.detail) == (True, "all applied")
    assert not missing.is_ok
    assert "1 migrations are not applied" in missing.detail


def test_broker_away_degrades_soon(now, broker_away):
    began = time.monotonic()

    assert failing(now) == ["broker"]

    assert time.monotonic() - began < 5


def test_redis_away_degrades_and_none_configured_is_no_issue(now, settings):
    settings.REDIS_URL = ""
    assert "redis" not in look(now)

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert failing(now) == ["redis"]


def test_redis_that_hangs_is_given_up_soon(now, settings):
    with socket.create_server(("127.0.0.1", 0)) as hung:  # takes connections, never answers
        settings.REDIS_URL = f"redis://127.0.0.1:{hung.getsockname()[1]}/0"
        began = time.monotonic()

        assert failing(now) == ["redis"]

    assert time.monotonic() - began < 3


def test_database_away_is_unhealthy_and_said_once(now, monkeypatch):
    monkeypatch.setattr(health, "_ask_database", fail)

    found = look(now)
    told = health.summary(now=now)

    names = ["database", "migrations", "worker", "beat"]
    assert [name for name, probe in found.items() if not probe.is_ok] == names
    assert found["database"].detail == "DatabaseError: gone away"
    assert "not asked" in found["worker"].detail
    assert told["status"] == "unhealthy"


def test_database_that_hangs_is_given_up_soon_and_apps_are_not_asked(now, monkeypatch):
    monkeypatch.setattr(health, "DATABASE_WITHIN_S", 0.05)
    let_go = threading.Event()
    monkeypatch.setattr(health, "_ask_database", lambda: let_go.wait(30))
    monkeypatch.setattr(issues, "_sources", [fail])
    began = time.monotonic()

    found = health.summary(now=now)

    assert time.monotonic() - began < 5
    assert found["status"] == "unhealthy"
    assert found["issues"][0]["text"] == "database: NotWorkingError: no answer within 0.05 s"
    let_go.set()


@pytest.mark.parametrize(
    ("severity", "status"), [(RED, "unhealthy"), (AMBER, "degraded")], ids=["red", "amber"]
)
def test_issue_of_an_app_counts(severity, status, now, monkeypatch):
    issue = Issue("pool_low", severity, "12 proxies left", "Fetch", "/admin/proxies/")
    monkeypatch.setattr(issues, "_sources", [lambda at: [issue] if at == now else []])

    found = health.summary(now=now)

    assert (found["status"], found["issues"]) == (status, [issue.as_dict()])


@pytest.mark.redis
def test_redis_that_was_stopped_degrades(now, settings):
    """The real server, stopped as by ``kill -STOP``."""
    from tests.services import valkey

    with valkey.running() as url:
        settings.REDIS_URL = url
        assert failing(now) == []
        pid = _pid_of(url)
        began = time.monotonic()
        try:
            os.kill(pid, signal.SIGSTOP)
            assert failing(now) == ["redis"]
        finally:
            os.kill(pid, signal.SIGCONT)

    assert time.monotonic() - began < 5


def _pid_of(url: str) -> int:
    import redis

    with redis.Redis.from_url(url) as client:
        return int(client.info("server")["process_id"])
