"""Staff run, pause, resume and edit periodic jobs."""

import pytest
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from project.core.models import AuditEntry, Run
from tests.factories import make_job

AGREED = {"_form_submitted": "True"}
LIST = "admin:django_celery_beat_periodictask_changelist"


def post(console, deed: str, job: PeriodicTask) -> list[str]:
    """Do a deed; return what staff are told."""
    address = reverse(f"admin:django_celery_beat_periodictask_{deed}", args=[job.pk])
    answer = console.post(address, AGREED, follow=True)
    return [str(message) for message in answer.context["messages"]]


@pytest.mark.django_db
def test_run_now_makes_one_run_at_a_time(console, ada):
    job = make_job(every_s=60, name="Tidy up")

    first, second = post(console, "run_now", job), post(console, "run_now", job)

    run = Run.objects.get()
    assert first == ["Tidy up runs."]
    assert second == [f"Already running: run {run.pk} is still at it"]
    assert (run.schedule, run.requested_by) == ("Tidy up", ada)


@pytest.mark.django_db
def test_pause_and_resume_are_logged(console):
    job = make_job(every_s=60, name="Tidy up")

    told = [post(console, deed, job) for deed in ("pause", "pause", "resume", "resume")]

    job.refresh_from_db()
    assert told == [
        ["Tidy up is paused."],
        ["Tidy up is paused already."],
        ["Tidy up goes on."],
        ["Tidy up is not paused."],
    ]
    assert job.enabled is True
    written = AuditEntry.objects.order_by("pk").values_list("said", flat=True)
    assert list(written) == [
        "Paused.",
        "Pause: Tidy up is paused already.",
        "Resumed.",
        "Resume: Tidy up is not paused.",
    ]


@pytest.mark.django_db
def test_chosen_jobs_are_run_paused_and_resumed(console):
    jobs = [make_job(every_s=60), make_job(every_s=60, task="celery.backend_cleanup")]
    chosen = {"_selected_action": [str(job.pk) for job in jobs]}
    told = []

    for deed in ("run_chosen", "pause_chosen", "resume_chosen"):
        answer = console.post(
            reverse(LIST), {"action": deed, "_agreed": "yes", **chosen}, follow=True
        )
        told.append([str(message) for message in answer.context["messages"]])

    assert told == [
        [
            f"{jobs[1]}: celery.backend_cleanup is not a kind of run",
            "Run by hand: 1.",
        ],
        ["Paused: 2."],
        ["Resumed: 2."],
    ]


@pytest.mark.django_db
def test_form_offers_the_known_kinds_and_saves(console):
    job = make_job(every_s=60, name="Tidy up")
    address = reverse("admin:django_celery_beat_periodictask_change", args=[job.pk])

    offered = console.get(address).context["adminform"].form.fields["task"].choices
    answer = console.post(
        address,
        {
            "name": "Tidy up well",
            "task": "tests.other",
            "interval": job.interval_id,
            "enabled": "on",
            "kwargs": "{}",
        },
    )

    job.refresh_from_db()
    assert ("tests.other", "Other test job (tests.other)") in offered
    assert answer.status_code == 302
    assert (job.name, job.task) == ("Tidy up well", "tests.other")


@pytest.mark.django_db
def test_form_refuses_two_schedules(console):
    job = make_job(every_s=60)
    crontab = make_job().crontab_id
    address = reverse("admin:django_celery_beat_periodictask_change", args=[job.pk])
    given = {"name": job.name, "task": job.task, "kwargs": "{}"}

    answer = console.post(address, {**given, "interval": job.interval_id, "crontab": crontab})

    assert answer.status_code == 200
    assert "Only one of" in answer.content.decode()


@pytest.mark.django_db
def test_form_has_no_inline_script(console):
    job = make_job(every_s=60)
    address = reverse("admin:django_celery_beat_periodictask_change", args=[job.pk])

    page = console.get(address).content.decode()

    assert "periodic-task-overrides" not in page
