import base64
from datetime import timedelta
from itertools import chain

import pytest
from django.conf import settings
from django.utils import timezone

from project.core.choices import RunStatus
from project.core.models import Run
from tests.factories import make_heartbeat, make_job, make_run, make_totals, make_user


def test_list_shows_own_runs_newest_first(api, user, now):
    old = make_run(requested_by=user, now=now - timedelta(hours=1))
    new = make_run(requested_by=user, now=now)
    make_run(requested_by=make_user())
    make_run()

    answer = api.get("/api/runs")

    assert answer.status_code == 200
    assert set(answer.json()) == {"next", "previous", "results"}
    assert [run["id"] for run in answer.json()["results"]] == [str(new.pk), str(old.pk)]


def test_list_shows_staff_all(staff_api, user):
    make_run(requested_by=user)
    make_run()

    assert len(staff_api.get("/api/runs").json()["results"]) == 2


def test_run_is_shown_as_the_contract_says(api, user, now):
    run = make_run(
        requested_by=user,
        now=now,
        kind="tests.job",
        subject="BTC",
        status=RunStatus.FAILED,
        phase="saving",
        progress=33.3,
        counts={"candles": 7},
        request_id="req",
        started_at=now,
        ended_at=now + timedelta(seconds=90),
        error_type="timeout",
        error_message="too slow",
        payload={"secret": "s3cret"},
    )

    answer = api.get(f"/api/runs/{run.pk}")

    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(run.pk),
        "kind": "tests.job",
        "subject": "BTC",
        "status": "failed",
        "phase": "saving",
        "progress": 33.3,
        "counts": {"candles": 7},
        "attempt": 1,
        "requested_by": user.pk,
        "request_id": "req",
        "created_at": "2026-01-05T12:00:00Z",
        "started_at": "2026-01-05T12:00:00Z",
        "ended_at": "2026-01-05T12:01:30Z",
        "duration_seconds": 90.0,
        "heartbeat_at": None,
        "next_try_at": None,
        "retry_of": None,
        "last_error": {"type": "timeout", "message": "too slow"},
    }


def test_run_without_error_has_none(api, user):
    run = make_run(requested_by=user)

    told = api.get(f"/api/runs/{run.pk}").json()

    assert (told["last_error"], told["duration_seconds"], told["started_at"]) == (None, None, None)


@pytest.mark.parametrize("deed", ["", "/cancel", "/retry"])
def test_strangers_run_is_not_found(deed, api):
    run = make_run(
        requested_by=make_user(), status=RunStatus.FAILED if deed == "/retry" else "queued"
    )
    method = api.post if deed else api.get

    answer = method(f"/api/runs/{run.pk}{deed}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert Run.objects.count() == 1


def test_list_narrows_by_kind_and_status(api, user):
    wanted = make_run(requested_by=user, status=RunStatus.DONE)
    make_run(requested_by=user)
    make_run(requested_by=user, kind="tests.other", status=RunStatus.DONE)

    found = api.get("/api/runs?kind=tests.job&status=done").json()["results"]

    assert [run["id"] for run in found] == [str(wanted.pk)]


def test_list_of_an_unknown_status_is_refused(api):
    answer = api.get("/api/runs?status=asleep")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"][0]["field"] == "status"


def test_pages_follow_one_another_without_gap_or_double(api, user, now):
    made = [make_run(requested_by=user, now=now - timedelta(seconds=n // 2)) for n in range(7)]
    found, url = [], "/api/runs?limit=3"

    while url:
        page = api.get(url).json()
        found.append([run["id"] for run in page["results"]])
        url = page["next"]

    assert [len(page) for page in found] == [3, 3, 1]
    assert sorted(chain(*found)) == sorted(str(run.pk) for run in made)


def cursor(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "bad",
    ["x", "%%%", cursor("p=yesterday"), cursor("o=x"), cursor("p=2026-13-40"), cursor("p=\x00")],
)
def test_bad_cursor_is_a_problem(bad, api, user):
    make_run(requested_by=user)

    answer = api.get("/api/runs", {"cursor": bad})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


@pytest.mark.parametrize("bad", ["0", "-1", "3.5", "many", "", "٣", "9" * 30])
def test_bad_limit_is_a_problem_that_names_it(bad, api):
    answer = api.get("/api/runs", {"limit": bad})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"][0]["field"] == "limit"


def test_a_limit_over_the_most_is_taken_as_the_most(api, user):
    make_run(requested_by=user)

    assert len(api.get("/api/runs", {"limit": 5000}).json()["results"]) == 1


@pytest.mark.parametrize("rows", [1, 3])
def test_list_costs_the_same_for_any_number_of_rows(rows, api, user, django_assert_num_queries):
    api.get("/api/runs")  # writes the key's last use
    for _ in range(rows):
        make_run(requested_by=user)

    with django_assert_num_queries(1 + (not settings.REDIS_URL)):  # runs; key with its user
        assert len(api.get("/api/runs").json()["results"]) == rows


def test_cancel_answers_the_run(api, user):
    run = make_run(requested_by=user)

    answer = api.post(f"/api/runs/{run.pk}/cancel")

    assert answer.status_code == 202
    assert (answer.json()["run_id"], answer.json()["status"]) == (str(run.pk), "canceled")
    assert api.post(f"/api/runs/{run.pk}/cancel").status_code == 202  # idempotent


def test_cancel_of_an_ended_run_conflicts(api, user):
    run = make_run(requested_by=user, status=RunStatus.DONE)

    answer = api.post(f"/api/runs/{run.pk}/cancel")

    assert (answer.status_code, answer.json()["code"]) == (409, "run_ended")
    assert answer.json()["run_id"] == str(run.pk)


def test_retry_answers_the_new_run(api, user):
    run = make_run(requested_by=user, status=RunStatus.FAILED)

    answer = api.post(f"/api/runs/{run.pk}/retry")

    assert answer.status_code == 202
    assert answer.json()["retry_of"] == str(run.pk)
    assert answer.json()["run_id"] == str(Run.objects.exclude(pk=run.pk).get().pk)


@pytest.mark.parametrize(
    ("status", "code"), [("queued", "run_not_ended"), ("failed", "already_running")]
)
def test_retry_conflicts(status, code, api, user):
    run = make_run(requested_by=user, status=status, exclusive_key="k")
    if status == "failed":
        make_run(exclusive_key="k")

    answer = api.post(f"/api/runs/{run.pk}/retry")

    assert (answer.status_code, answer.json()["code"]) == (409, code)


def test_system_tasks_show_heartbeats_and_jobs(staff_api):
    now = timezone.now()
    make_heartbeat(role="worker", beat_at=now - timedelta(seconds=5), restarts=2, name="w1")
    make_heartbeat(role="worker", beat_at=now - timedelta(minutes=5), restarts=9, name="w0")
    job = make_job(every_s=60, last_run_at=now - timedelta(hours=1))
    started, ended = now - timedelta(seconds=90), now - timedelta(seconds=60)
    run = make_run(
        schedule=job.name, status=RunStatus.FAILED, now=started, started_at=started, ended_at=ended
    )
    make_totals(
        kind="tests.job",
        done=3,
        failed=1,
        restarts=1,
        total_s=40.0,
        last_error_type="timeout",
        last_error_message="slow",
        last_error_at=ended,
    )

    answer = staff_api.get("/api/system/tasks")

    told = answer.json()
    worker, beat = told["processes"]["worker"], told["processes"]["beat"]
    assert answer.status_code == 200
    assert (worker["alive"], worker["restarts"], worker["names"]) == (1, 2, ["w1"])
    assert 5 <= worker["heartbeat_age_seconds"] < 30
    assert beat == {
        "alive": 0,
        "heartbeat_at": None,
        "heartbeat_age_seconds": None,
        "restarts": 0,
        "names": [],
    }
    (task,) = [task for task in told["tasks"] if task["name"] == job.name]
    assert (task["task"], task["enabled"], task["is_late"]) == ("tests.job", True, True)
    assert (task["last_run_id"], task["last_status"]) == (str(run.pk), "failed")
    assert (task["duration_seconds"], task["average_seconds"]) == (30.0, 10.0)
    assert (task["success_count"], task["failure_count"], task["restarts"]) == (3, 1, 1)
    assert (task["last_error"]["type"], task["last_error"]["message"]) == ("timeout", "slow")
    assert task["created_at"] <= task["ended_at"]
    assert task["next_due_at"].endswith("Z")


@pytest.mark.parametrize("rows", [1, 3])
def test_system_tasks_cost_the_same_for_any_number_of_jobs(
    rows, staff_api, django_assert_num_queries
):
    staff_api.get("/api/system/tasks")
    for number in range(rows):
        make_run(schedule=make_job(every_s=60 + number).name)
        make_heartbeat()

    with django_assert_num_queries(5 + (not settings.REDIS_URL)):
        staff_api.get("/api/system/tasks")
