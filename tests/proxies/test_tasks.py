import json

import pytest
from celery import current_app
from django.db.models import Q
from django_celery_beat.models import PeriodicTask

from project.core.callers import SYSTEM
from project.core.kinds import Kind
from proxies import importing, kinds, tasks
from proxies.models import Proxy, ProxySource
from proxies.parsing import ListOptions
from tests.proxies.factories import NOW


@pytest.mark.django_db
def test_the_periodic_jobs_are_seeded():
    ours = Q(task__startswith="proxies.") | Q(task="core.etl_sync", name="schedule_etl_sync")
    jobs = PeriodicTask.objects.filter(ours)

    assert {(job.task, job.interval.every, job.enabled) for job in jobs} == {
        ("proxies.fetch", 60, True),
        ("proxies.validate", 300, True),
        ("proxies.sweep", 60, True),
        ("proxies.snapshot", 60, True),
        ("core.etl_sync", 300, True),
    }
    assert all(json.loads(job.kwargs) == {} for job in jobs)


@pytest.mark.django_db
def test_well_known_sources_come_switched_off():
    assert ProxySource.objects.count() == 8
    assert not ProxySource.objects.enabled().exists()


def test_each_kind_has_its_task():
    current_app.loader.import_default_modules()
    known = {kind.name for kind in vars(kinds).values() if isinstance(kind, Kind)}

    ours = {name for name in current_app.tasks if name.startswith("proxies.")}
    assert known == ours | {"core.etl_sync"}


@pytest.mark.django_db(transaction=True)
def test_a_task_does_the_run_that_it_is_given():
    run = importing.submit(importing.read_text("8.8.8.8:80"), ListOptions(), by=SYSTEM, now=NOW)

    tasks.import_list(run_id=str(run.pk), something_new=1)

    run.refresh_from_db()
    assert (run.status, Proxy.objects.count()) == ("done", 1)
