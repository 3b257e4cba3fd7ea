"""What the page of one run tells, and what it keeps to itself."""

import json

import pytest
from django.urls import reverse

from project.core import scrubbing
from project.core.admin import run_page
from project.core.choices import RunStatus
from tests.factories import make_event, make_job, make_run


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"series_id": 7, "deep": [{"limit": 2}]}, {"series_id": 7, "deep": [{"limit": 2}]}),
        ({"api_key": "abc"}, {"api_key": scrubbing.HIDDEN}),
        ({"tokens": ["abc", "def"]}, {"tokens": scrubbing.HIDDEN}),
        ({"url": "http://u:p@host/x"}, {"url": f"http://{scrubbing.HIDDEN}@host/x"}),
        ({"Password": ""}, {"Password": scrubbing.HIDDEN}),
    ],
)
def test_without_secrets(asked, shown):
    assert scrubbing.value(asked) == shown


@pytest.mark.django_db
def test_page_has_label_history_and_relatives(now):
    first = make_run(status=RunStatus.FAILED, subject_type="accounts.user", subject_id="7")
    run = make_run(
        subject_type="accounts.user", subject_id="7", payload={"password": "x"}, retry_of=first
    )
    make_event(run)
    retry = make_run(retry_of=run)

    page = run_page.of(run, now=now)

    assert page.label == "Test job"
    assert [event["id"] for event in page.history] == [1, 2]
    assert page.left_out == 0
    assert json.loads(page.payload) == {"password": scrubbing.HIDDEN}
    assert page.subject_url == reverse("admin:accounts_user_change", args=["7"])
    assert (page.related, page.retries) == ([first], [retry])


@pytest.mark.django_db
def test_page_of_a_long_run_has_the_newest_events(now, monkeypatch):
    monkeypatch.setattr(run_page, "EVENTS_SHOWN", 2)
    run = make_run()
    for _ in range(3):
        make_event(run)

    page = run_page.of(run, now=now)

    assert [event["id"] for event in page.history] == [3, 4]
    assert page.left_out == 2


@pytest.mark.parametrize("subject_type", ["", "nowhere", "nowhere.thing", "sessions.session"])
@pytest.mark.django_db
def test_subject_without_a_page_has_no_link(now, subject_type):
    run = make_run(subject_type=subject_type, subject_id="7")

    assert run_page.of(run, now=now).subject_url == ""


@pytest.mark.django_db
def test_scheduled_run_names_its_job_and_its_other_runs(now):
    job = make_job(every_s=60)
    other = make_run(schedule=job.name)

    page = run_page.of(make_run(schedule=job.name), now=now)

    assert page.related == [other]
    assert page.schedule_url.startswith(reverse("admin:django_celery_beat_periodictask_changelist"))


@pytest.mark.django_db
def test_state_tells_of_an_asked_cancel_and_an_error(now):
    run = make_run(status=RunStatus.RUNNING, cancel_asked_at=now, error_type="x", error_message="y")

    state = run_page.state_of(run, now=now)

    assert (state["is_cancel_asked"], state["is_final"]) == (True, False)
    assert state["error"] == {"type": "x", "message": "y"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("trace", "address", "told"),
    [
        ("", "http://traces/{trace_id}", ("", "")),
        ("00-4bf9-00f0-01", "", ("4bf9", "")),
        ("00-4bf9-00f0-01", "http://traces/{trace_id}", ("4bf9", "http://traces/4bf9")),
        ("odd", "http://traces/{trace_id}", ("", "")),
    ],
)
def test_run_page_names_the_trace(console, settings, trace, address, told):
    settings.TRACE_URL = address
    run = make_run(trace=trace)

    shown = console.get(reverse("admin:core_run_change", args=[run.pk]))

    page = shown.context["page"]
    assert (page.trace_id, page.trace_url) == told
    assert (b"Trace id" in shown.content) is bool(told[0])
