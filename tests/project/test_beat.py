from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import DatabaseError
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from project.core import beat, leading, processes, runs
from project.core.beat import CatchUpScheduler
from project.core.choices import RunStatus
from project.core.models import Leadership, Run
from tests.factories import make_job, make_run
from tests.project.rivals import rivals

pytestmark = pytest.mark.django_db(transaction=True)


def scheduler() -> CatchUpScheduler:
    """A beat that has just started."""
    return CatchUpScheduler(app=current_app)


def tick(beat: CatchUpScheduler) -> float:
    """Let a beat send all that is due; return the seconds until its next look."""
    while (wait_s := beat.tick()) == 0:
        continue
    return wait_s


def hours_from_now(hours: int) -> CrontabSchedule:
    at = timezone.now() + timedelta(hours=hours)
    found, _ = CrontabSchedule.objects.get_or_create(
        minute=str(at.minute), hour=str(at.hour), timezone="UTC"
    )
    return found


@pytest.mark.parametrize("hours", [-3, 6, 12, 20])
def test_missed_daily_job_is_caught_up_though_its_hour_is_far(hours):
    before = timezone.now()
    job = make_job(crontab=hours_from_now(hours), last_run_at=before - timedelta(days=3))

    wait_s = tick(scheduler())

    run = Run.objects.get()
    job.refresh_from_db()
    assert (run.kind, run.subject, run.schedule) == ("tests.job", job.name, job.name)
    assert (run.requested_by, run.exclusive_key) == (None, f"schedule:{job.name}")
    assert (job.last_run_at >= before, job.total_run_count) == (True, 1)
    assert 0 < wait_s <= beat.FOLLOW_EVERY_S


def test_daily_job_that_ran_today_is_not_sent():
    make_job(crontab=hours_from_now(-1), last_run_at=timezone.now() - timedelta(minutes=30))

    tick(scheduler())

    assert not Run.objects.exists()


def test_job_that_never_ran_counts_from_the_moment_it_was_made():
    make_job(every_s=60, date_changed=timezone.now() - timedelta(seconds=61))
    make_job(every_s=60, date_changed=timezone.now() - timedelta(seconds=20))

    tick(scheduler())

    assert Run.objects.count() == 1


def test_job_sends_what_staff_asked_it_to(sent):
    overdue = timezone.now() - timedelta(hours=1)
    make_job(every_s=60, last_run_at=overdue, kwargs='{"pool": "hot"}')

    tick(scheduler())

    run = Run.objects.get()
    assert run.payload == {"pool": "hot"}
    assert sent() == [("tests.job", str(run.pk))]


def test_task_that_is_no_kind_of_run_goes_out_as_it_is(sent):
    make_job(task="tests.plain", every_s=60, last_run_at=timezone.now() - timedelta(hours=1))

    tick(scheduler())
    tick(scheduler())

    assert sent() == [("tests.plain", "")]
    assert not Run.objects.exists()


def test_disabled_job_is_not_sent():
    make_job(every_s=60, enabled=False, last_run_at=timezone.now() - timedelta(hours=1))

    tick(scheduler())

    assert not Run.objects.exists()


def test_two_beats_send_once():
    for _ in range(3):
        make_job(every_s=3600, last_run_at=timezone.now() - timedelta(hours=2))
    first, second = scheduler(), scheduler()  # both have read that the jobs are due
    assert len(first.schedule) == len(second.schedule) == 3

    tick(first)
    tick(second)

    assert Run.objects.count() == 3
    assert set(PeriodicTask.objects.values_list("total_run_count", flat=True)) == {1}


def test_send_once_lets_one_of_many_rivals_send(now):
    pk = make_job(every_s=3600, last_run_at=now - timedelta(hours=2)).pk

    def send(number: int) -> bool:
        job = PeriodicTask.objects.get(pk=pk)
        job.stored_last_run_at = now - timedelta(hours=2)
        return beat.send_once(job, now=now)

    assert sum(rivals(8, send)) == 1

    assert Run.objects.count() == 1


def test_sent_job_is_not_sent_again_before_its_time(now):
    make_job(every_s=3600, last_run_at=timezone.now() - timedelta(hours=2))
    running = scheduler()

    for _ in range(3):
        tick(running)

    assert Run.objects.count() == 1


def test_edit_of_a_schedule_is_picked_up_while_beat_runs():
    job = make_job(every_s=3600, last_run_at=timezone.now() - timedelta(minutes=5))
    running = scheduler()
    tick(running)
    assert not Run.objects.exists()

    job.interval, _ = IntervalSchedule.objects.get_or_create(every=60, period="seconds")
    job.save()
    tick(running)

    assert Run.objects.count() == 1


def test_job_that_still_works_is_passed_over():
    job = make_job(every_s=60, last_run_at=timezone.now() - timedelta(hours=1))
    busy = make_run(status=RunStatus.RUNNING, exclusive_key=f"schedule:{job.name}")

    tick(scheduler())

    job.refresh_from_db()
    assert list(Run.objects.all()) == [busy]
    assert timezone.now() - job.last_run_at < timedelta(minutes=1)


def test_job_of_a_lonely_kind_is_passed_over_while_any_run_of_it_works():
    make_job(task="tests.alone", every_s=60, last_run_at=timezone.now() - timedelta(hours=1))
    busy = make_run(kind="tests.alone", exclusive_key="tests.alone")

    tick(scheduler())

    assert list(Run.objects.all()) == [busy]


def leader(name: str) -> None:
    until = timezone.now() + timedelta(seconds=15)
    Leadership.objects.create(name="beat", holder=name, held_until=until, token=1)


def test_beat_follows_while_another_one_leads():
    leader("elsewhere/1:2:3")
    make_job(every_s=60, last_run_at=timezone.now() - timedelta(hours=1))

    assert scheduler().tick() == beat.FOLLOW_EVERY_S

    assert not Run.objects.exists()


def test_beat_takes_over_at_once_when_the_leader_of_this_machine_died():
    space = processes.own_name().partition(":")[0]
    leader(f"{space}:{2**22 + 1}:7")
    make_job(every_s=60, last_run_at=timezone.now() - timedelta(hours=1))

    tick(scheduler())

    assert Run.objects.count() == 1
    assert Leadership.objects.get().holder == processes.own_name()


def test_beat_outlives_a_database_that_is_away(monkeypatch):
    def away(*args: Any, **kwargs: Any) -> bool:
        raise DatabaseError("away")

    monkeypatch.setattr(leading, "lead", away)

    assert scheduler().tick() == beat.FOLLOW_EVERY_S


def test_run_and_mark_are_written_together(now, monkeypatch):
    job = make_job(every_s=60, last_run_at=now - timedelta(hours=1))
    job.stored_last_run_at = job.last_run_at

    class BrokenError(Exception):
        pass

    def fail(*args: Any, **kwargs: Any) -> None:
        raise BrokenError

    monkeypatch.setattr(runs, "submit", fail)
    with pytest.raises(BrokenError):
        beat.send_once(job, now=now)

    job.refresh_from_db()
    assert (job.last_run_at, job.total_run_count) == (now - timedelta(hours=1), 0)
