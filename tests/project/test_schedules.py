from typing import Any

import pytest
from django.apps import apps
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from project.core import kinds, schedules
from project.core.schedules import Daily, Every

pytestmark = pytest.mark.django_db


def seed(when: Every | Daily, **fields: Any) -> PeriodicTask:
    facts = {"name": "Trial", "kind": "tests.job", "description": "Tries.", **fields}
    schedules.seed(apps, when=when, **facts)
    return PeriodicTask.objects.get(name=facts["name"])


def test_seed_makes_a_job_at_an_interval():
    job = seed(Every(90))

    assert (job.task, job.description, job.enabled) == ("tests.job", "Tries.", True)
    assert job.interval is not None
    assert (job.interval.every, job.interval.period, job.crontab) == (90, "seconds", None)


def test_seed_makes_a_daily_job_in_utc():
    job = seed(Daily(2, 5))

    clock = job.crontab
    assert (clock.hour, clock.minute, str(clock.timezone)) == ("2", "5", "UTC")
    assert (clock.day_of_week, clock.day_of_month, clock.month_of_year) == ("*", "*", "*")
    assert job.interval is None


def test_seed_never_overwrites_what_staff_changed():
    job = seed(Every(90))
    slower, _ = IntervalSchedule.objects.get_or_create(every=2, period="hours")
    PeriodicTask.objects.filter(pk=job.pk).update(
        enabled=False, interval=slower, description="Ours."
    )

    again = seed(Daily(3))

    assert (again.pk, again.enabled, again.description) == (job.pk, False, "Ours.")
    assert (again.interval, again.crontab) == (slower, None)


@pytest.mark.parametrize("when", [Every(90), Daily(2)])
def test_seed_shares_schedules_and_bears_doubles(when):
    first = seed(when)
    IntervalSchedule.objects.create(every=90, period="seconds")
    CrontabSchedule.objects.create(hour="2", minute="0", timezone="UTC")

    second = seed(when, name="Second trial")

    assert (second.interval, second.crontab) == (first.interval, first.crontab)


def test_migrations_seeded_jobs_of_known_kinds():
    seeded = PeriodicTask.objects.values_list("name", "task", "enabled")

    assert ("Clean up", "core.clean_up", True) in seeded
    assert {task for _, task, _ in seeded} <= set(kinds.known())
