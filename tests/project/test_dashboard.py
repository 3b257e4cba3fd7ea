from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from project.core import dashboard, processes
from project.core.choices import Role, RunStatus
from tests.factories import make_heartbeat, make_job, make_run

CURE = "No beat is alive: start one, and it catches up what was missed."


def late_job(name: str):
    long_ago = timezone.now() - timedelta(hours=3)
    return make_job(every_s=60, name=name, last_run_at=long_ago)


@pytest.mark.parametrize(
    ("names", "texts"),
    [
        ([], []),
        (["Tidy up"], [f"Tidy up is late. {CURE}"]),
        (["Tidy up", "Wind the clock"], [f"2 periodic jobs are late. {CURE}"]),
    ],
)
@pytest.mark.django_db
def test_late_jobs_are_one_issue(names, texts):
    PeriodicTask.objects.all().delete()  # those of the migrations are late in a long test run
    for name in names:
        late_job(name)

    assert [issue.text for issue in dashboard.late_jobs(timezone.now())] == texts


@pytest.mark.django_db
def test_runs_in_short_counts_the_unended_and_those_of_a_day():
    now = timezone.now()
    for status in (RunStatus.RUNNING, RunStatus.QUEUED, RunStatus.DONE, RunStatus.FAILED):
        make_run(status=status)
    make_run(status=RunStatus.FAILED, now=now - timedelta(days=2))
    make_run(status=RunStatus.RUNNING, now=now - timedelta(days=2))

    running, failed = dashboard.runs_in_short(now)

    assert (running.value, running.hint) == ("2", "1 waiting")
    assert (failed.value, failed.tone) == ("1", "bad")


@pytest.mark.django_db
def test_context_sorts_late_jobs_first_and_paused_ones_last(rf):
    make_job(every_s=60, name="Aa paused", enabled=False)
    make_job(every_s=60, name="Bb on time")
    late_job("Cc late")
    ours = {"Aa paused", "Bb on time", "Cc late"}

    found = dashboard.context(rf.get("/admin/"), {"given": 1})

    names = [row.state.job.name for row in found["jobs"] if row.state.job.name in ours]
    assert names == ["Cc late", "Bb on time", "Aa paused"]
    assert found["given"] == 1
    assert set(found["board"]) == {"runs", "kinds"}


@pytest.mark.django_db
def test_context_tells_which_roles_are_alive(rf):
    silent_since = timezone.now() - processes.SILENT_AFTER - timedelta(seconds=5)
    make_heartbeat(role=Role.WORKER, restarts=2)
    make_heartbeat(role=Role.WORKER, restarts=1)
    make_heartbeat(role=Role.BEAT, beat_at=silent_since)

    roles = {row.role: row for row in dashboard.context(rf.get("/admin/"), {})["roles"]}

    alive = {role: (row.alive, row.restarts) for role, row in roles.items()}
    assert alive == {"web": (0, 0), "worker": (2, 3), "beat": (0, 0)}
    assert roles["beat"].beat_at == silent_since


@pytest.mark.django_db
def test_board_has_what_the_websocket_sends_first():
    run = make_run()

    found = dashboard.board(now=timezone.now())

    assert [row["id"] for row in found["runs"]] == [str(run.pk)]
    assert "runs_running" in [figure["name"] for figure in found["figures"]]
    assert {"severity", "text", "url"} <= set(found["issues"][0])
