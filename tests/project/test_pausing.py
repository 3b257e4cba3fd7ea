from datetime import timedelta

import pytest
from django_celery_beat.models import PeriodicTasks

from project.core import jobs, pausing
from tests.factories import make_job


@pytest.mark.django_db
def test_pause_and_resume_say_whether_they_changed_anything(now):
    job = make_job(every_s=60)

    changed = [
        pausing.pause(job, now=now),
        pausing.pause(job, now=now),
        pausing.resume(job, now=now),
        pausing.resume(job, now=now),
    ]

    assert changed == [True, False, True, False]


@pytest.mark.django_db
def test_pause_tells_beat(now):
    job = make_job(every_s=60)
    before = PeriodicTasks.last_change()

    pausing.pause(job, now=now)

    assert PeriodicTasks.last_change() > before


@pytest.mark.django_db
def test_resumed_job_counts_from_the_moment_of_resuming(now):
    job = make_job(every_s=3600, last_run_at=now - timedelta(days=3))
    pausing.pause(job, now=now - timedelta(days=2))

    pausing.resume(job, now=now)

    state = next(state for state in jobs.states(now=now) if state.job == job)
    assert state.next_due_at is not None
    assert abs(state.next_due_at - (now + timedelta(hours=1))) < timedelta(seconds=1)
    assert state.is_late is False
