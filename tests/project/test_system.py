from datetime import timedelta

import pytest

from project.core import processes, system
from tests.factories import make_heartbeat, make_job, make_run, make_totals

pytestmark = pytest.mark.django_db


def test_overview_tells_the_latest_heartbeat_of_each_role(now):
    make_heartbeat(role="web", beat_at=now - timedelta(seconds=3), name="new", restarts=1)
    make_heartbeat(role="web", beat_at=now - processes.SILENT_AFTER, name="old", restarts=2)
    make_heartbeat(role="web", beat_at=now - timedelta(minutes=5), name="gone", restarts=4)

    found = system.overview(now=now)

    assert found["processes"]["web"] == {
        "alive": 2,
        "heartbeat_at": "2026-01-05T11:59:57.000Z",
        "heartbeat_age_seconds": 3.0,
        "restarts": 3,
        "names": ["new", "old"],
    }
    assert found["processes"]["worker"]["alive"] == 0
    assert found["timestamp"] == "2026-01-05T12:00:00.000Z"


def test_overview_of_a_job_that_never_ran(now):
    job = make_job(task="tests.other", enabled=False)

    (task,) = [one for one in system.overview(now=now)["tasks"] if one["name"] == job.name]

    assert {name: value for name, value in task.items() if value is None} == {
        "last_run_id": None,
        "last_status": None,
        "created_at": None,
        "started_at": None,
        "ended_at": None,
        "duration_seconds": None,
        "average_seconds": None,
        "last_error": None,
        "next_due_at": None,
    }
    assert (task["success_count"], task["failure_count"], task["restarts"]) == (0, 0, 0)


def test_overview_of_a_job_tells_what_its_runs_came_to(now):
    job = make_job()
    make_run(schedule=job.name, now=now, status="failed")
    make_totals(
        kind="tests.job",
        done=3,
        failed=1,
        canceled=1,
        total_s=10.0,
        last_error_type="timeout",
        last_error_message="slow",
        last_error_at=now,
    )

    (task,) = [one for one in system.overview(now=now)["tasks"] if one["name"] == job.name]

    assert (task["last_status"], task["average_seconds"]) == ("failed", 2.0)
    assert task["last_error"] == {
        "type": "timeout",
        "message": "slow",
        "at": "2026-01-05T12:00:00.000Z",
    }
