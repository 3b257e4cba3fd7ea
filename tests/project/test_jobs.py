from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from project.core import beat, jobs, runs
from project.core.callers import Caller
from project.core.choices import RunStatus
from project.core.models import ProcessHeartbeat, Run
from tests.factories import make_heartbeat, make_job, make_run, make_totals
from tests.project.rivals import rivals

STAFF = Caller(user_id=None, is_staff=True)


def state_of(job: PeriodicTask, now) -> jobs.JobState:
    return next(state for state in jobs.states(now=now) if state.job == job)


@pytest.mark.parametrize(
    ("every_s", "late_by_s", "is_late"),
    [(60, 29, False), (60, 31, True), (3600, 300, False), (3600, 361, True)],
)
@pytest.mark.django_db
def test_interval_job_is_late_after_half_a_minute_and_a_tenth_of_its_period(
    every_s, late_by_s, is_late
):
    now = timezone.now()
    due = now - timedelta(seconds=late_by_s)
    job = make_job(every_s=every_s, last_run_at=due - timedelta(seconds=every_s))

    state = state_of(job, now)

    assert state.is_late is is_late
    assert state.next_due_at is not None
    assert abs(state.next_due_at - due) < timedelta(seconds=1)


@pytest.mark.django_db
def test_next_due_does_not_depend_on_when_one_looks(now):
    last = timezone.now() - timedelta(minutes=1)
    job = make_job(every_s=3600, last_run_at=last)

    found = state_of(job, now)  # a clock months ago

    assert found.next_due_at is not None
    assert abs(found.next_due_at - last - timedelta(hours=1)) < timedelta(seconds=1)
    assert not found.is_late


@pytest.mark.django_db
def test_daily_job_is_next_due_at_its_hour():
    now = timezone.now()
    job = make_job(last_run_at=now)

    due = state_of(job, now).next_due_at

    assert due is not None
    assert (due.hour, due.minute, due.second) == (2, 0, 0)
    assert now < due <= now + timedelta(days=1)


@pytest.mark.django_db
def test_daily_job_that_was_missed_is_late():
    now = timezone.now()
    job = make_job(last_run_at=now - timedelta(days=2))

    state = state_of(job, now)

    assert state.is_late
    assert state.next_due_at is not None
    assert state.next_due_at < now


@pytest.mark.django_db
def test_disabled_job_is_never_due_nor_late():
    now = timezone.now()
    job = make_job(every_s=60, enabled=False, last_run_at=now - timedelta(days=2))

    state = state_of(job, now)

    assert (state.next_due_at, state.is_late) == (None, False)


@pytest.mark.django_db
def test_states_show_each_jobs_last_run_and_totals(now):
    job, idle = make_job(every_s=60, name="a"), make_job(name="b", task="tests.other")
    make_run(schedule="a", now=now - timedelta(hours=2))
    last = make_run(schedule="a", now=now - timedelta(hours=1), status=RunStatus.DONE)
    make_run(now=now)  # by hand
    totals = make_totals(kind="tests.job", done=7)

    found = {state.job.pk: state for state in jobs.states(now=now)}

    assert (found[job.pk].last_run, found[job.pk].totals) == (last, totals)
    assert (found[idle.pk].last_run, found[idle.pk].totals) == (None, None)
    assert "60" in found[job.pk].schedule
    assert "0 2 * * *" in found[idle.pk].schedule


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.django_db
def test_states_cost_the_same_for_any_number_of_jobs(count, now, django_assert_num_queries):
    PeriodicTask.objects.all().delete()
    for number in range(count):
        job = make_job(every_s=60 + number)
        make_run(schedule=job.name)
        make_job()

    with django_assert_num_queries(4):
        found = jobs.states(now=now)
        assert all(state.schedule for state in found)

    assert len(found) == 2 * count


@pytest.mark.django_db
def test_run_now_asks_for_what_the_schedule_asks_for(now, user):
    job = make_job(every_s=60, kwargs='{"pool": "hot"}')

    run = jobs.run_now(job, by=Caller(user_id=user.pk, is_staff=True), now=now)

    assert (run.kind, run.payload, run.schedule) == ("tests.job", {"pool": "hot"}, job.name)
    assert run.requested_by == user


@pytest.mark.django_db(transaction=True)
def test_run_now_never_collides_with_the_scheduled_run(now):
    pk = make_job(every_s=60, last_run_at=now - timedelta(hours=1)).pk

    def ask(number: int) -> bool:
        job = PeriodicTask.objects.get(pk=pk)
        job.stored_last_run_at = now - timedelta(hours=1)
        if number % 2:
            return beat.send_once(job, now=now)
        try:
            return bool(jobs.run_now(job, by=STAFF, now=now))
        except runs.AlreadyRunningError:
            return False

    rivals(8, ask)

    assert Run.objects.count() == 1


@pytest.mark.django_db
def test_run_now_of_no_kind_of_run_is_refused(now):
    job = make_job(task="celery.backend_cleanup")

    with pytest.raises(jobs.NotARunError, match=r"celery\.backend_cleanup"):
        jobs.run_now(job, by=STAFF, now=now)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("alive", "said"),
    [
        ([], "No beat is alive"),
        (["worker"], "No beat is alive"),
        (["beat"], "No worker is alive"),
        (["beat", "worker"], "A beat is alive"),
    ],
)
def test_advice_names_what_is_missing(alive, said):
    now = timezone.now()
    ProcessHeartbeat.objects.all().delete()
    for role in alive:
        make_heartbeat(role=role, beat_at=now)
    make_heartbeat(role="beat", beat_at=now - timedelta(hours=1))

    assert jobs.advice(now=now).startswith(said)


@pytest.mark.parametrize(
    ("name", "task", "title"),
    [
        ("Tidy up", "core.clean_up", "Tidy up"),
        ("schedule_etl_sync", "core.etl_sync", "Send a snapshot of the pools (ETL)"),
        ("nightly", "somebody.elses", "nightly"),
    ],
)
def test_jobs_named_for_programs_are_called_what_they_do(name, task, title):
    job = PeriodicTask(name=name, task=task)

    assert jobs.JobState(job, None, None, None, is_late=False).title == title
