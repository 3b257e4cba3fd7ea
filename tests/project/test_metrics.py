import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from project.core import health, metrics
from project.core.choices import Role, RunStatus
from tests.factories import make_heartbeat, make_job, make_run, make_totals

pytestmark = pytest.mark.django_db


def samples() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return what a scrape reads from the database, by name and labels."""
    registry = CollectorRegistry()
    metrics.add_to(registry)
    families = text_string_to_metric_families(generate_latest(registry).decode())
    found = [sample for family in families for sample in family.samples]
    keys = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in found]
    assert len(keys) == len(set(keys)), "a sample twice: Prometheus refuses the whole scrape"
    return {key: sample.value for key, sample in zip(keys, found, strict=True)}


def value(name: str, **labels: str) -> float | None:
    return samples().get((name, tuple(sorted(labels.items()))))


def test_runs_that_wait_and_work_are_counted():
    make_run()
    make_run()
    make_run(status=RunStatus.RUNNING)
    make_run(status=RunStatus.DONE)

    assert value("runs_unended", kind="tests.job", status="queued") == 2
    assert value("runs_unended", kind="tests.job", status="running") == 1
    assert value("runs_unended", kind="tests.job", status="done") is None


def test_counters_move():
    row = make_totals(kind="tests.job", done=5, failed=2, canceled=1, restarts=3)
    before = {
        "task_runs_total": value("task_runs_total", task="tests.job", outcome="done"),
        "task_failures_total": value("task_failures_total", task="tests.job"),
        "task_restarts_total": value("task_restarts_total", task="tests.job"),
    }
    row.done, row.failed, row.restarts = 6, 3, 4
    row.save()

    assert before == {"task_runs_total": 5, "task_failures_total": 2, "task_restarts_total": 3}
    assert value("task_runs_total", task="tests.job", outcome="done") == 6
    assert value("task_failures_total", task="tests.job") == 3
    assert value("task_restarts_total", task="tests.job") == 4


def test_last_error_is_told_by_its_labels():
    make_totals(kind="tests.job", last_error_type="timeout", last_error_message='a "b"\nc')
    make_totals(kind="tests.other")

    told = [dict(key[1]) for key in samples() if key[0] == "task_last_error_info"]
    assert told == [{"task": "tests.job", "type": "timeout", "message": 'a "b"\nc'}]


def test_loop_of_several_kinds_is_told_once():
    now = timezone.now()
    make_run(kind="tests.other", status=RunStatus.RUNNING)
    make_job(every_s=600)
    make_job(every_s=60, task="tests.other")
    make_totals(kind="tests.job", last_duration_s=2.5, last_ended_at=now)
    make_totals(kind="tests.other", last_duration_s=9.0, last_ended_at=now - timedelta(minutes=1))

    assert value("loop_active", loop="test-loop") == 1
    assert value("loop_period_seconds", loop="test-loop") == 60
    assert value("loop_duration_seconds", loop="test-loop") == 2.5


def test_loop_that_rests_is_not_active():
    assert value("loop_active", loop="test-loop") == 0
    assert value("loop_duration_seconds", loop="test-loop") is None


def test_period_of_a_daily_loop_is_a_day():
    make_job()

    assert value("loop_period_seconds", loop="test-loop") == 86_400


def test_heartbeat_age_is_that_of_the_latest():
    now = timezone.now()
    make_heartbeat(role=Role.WORKER, beat_at=now - timedelta(minutes=5))
    make_heartbeat(role=Role.WORKER, beat_at=now - timedelta(seconds=30))

    age = value("process_heartbeat_age_seconds", role="worker")
    assert age is not None
    assert 30 <= age < 40
    assert value("process_heartbeat_age_seconds", role="beat") is None


def test_database_away_is_told_with_what_needs_none(monkeypatch):
    def away(*_: object) -> Any:
        raise DatabaseError("away")

    assert value("database_up") == 1
    assert value("dependency_up", dependency="database") == 1
    monkeypatch.setattr(metrics, "_sources", [away, *metrics._sources])
    monkeypatch.setattr(health, "_ask_database", away)

    found = samples()

    assert {name for name, _ in found} == {"database_up", "dependency_up", "issues_open"}
    assert found["database_up", ()] == 0
    assert found["dependency_up", (("dependency", "database"),)] == 0
    assert found["dependency_up", (("dependency", "disk"),)] == 1
    assert found["issues_open", (("severity", "red"),)] == 2  # the database, and what is unknown


def test_dependencies_and_issues_are_told(monkeypatch):
    assert value("dependency_up", dependency="worker") == 0
    make_heartbeat(role=Role.WORKER, beat_at=timezone.now())
    before = value("issues_open", severity="amber")
    assert value("dependency_up", dependency="worker") == 1
    monkeypatch.setattr(health, "DISK_LOW_BYTES", 2**60)

    assert value("dependency_up", dependency="disk") == 0
    assert value("issues_open", severity="amber") == (before or 0) + 1


def test_exposition_answers_everybody_unless_closed(client, settings, admin_client):
    make_run()
    open_ = client.get("/metrics")
    same = client.get("/health/metrics")

    assert open_.status_code == same.status_code == 200
    assert open_["Content-Type"].startswith("text/plain")
    assert b'runs_unended{kind="tests.job",status="queued"} 1.0' in open_.content
    assert re.search(rb"^django_http_requests_before_middlewares_total ", open_.content, re.M)
    settings.METRICS_PUBLIC = False
    assert client.get("/metrics").status_code == 404
    assert b"database_up" in admin_client.get("/metrics").content
    assert client.post("/metrics").status_code == 405


def test_requests_are_counted(client):
    def answered() -> float:
        text = client.get("/metrics").content.decode()
        families = text_string_to_metric_families(text)
        name = "django_http_responses_total_by_status_view_method_total"
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and sample.labels["view"] == "runs"
        )

    before = answered()
    client.get("/api/runs")

    assert answered() == before + 1
