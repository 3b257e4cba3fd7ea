"""The background tasks."""

import pytest
from django_celery_beat.models import PeriodicTask

from project.core import beat
from project.core.callers import SYSTEM
from project.core.models import Run
from project.storage import backing_up, databases, shelf, tasks
from project.storage.models import Backup
from tests.storage.factories import NOW
from tests.storage.making import StoppedError, make_sqlite

pytestmark = pytest.mark.django_db(transaction=True)


def test_backup_of_the_products_own_database(folder):
    run = backing_up.ask(by=SYSTEM, now=NOW)

    tasks.backup(run_id=str(run.pk))

    run.refresh_from_db()
    backup = Backup.objects.get()
    assert (run.status, run.error_message, run.progress) == ("done", "", 100)
    assert backup.run_id == run.pk
    assert run.counts["rows"] == backup.rows
    assert backup.counts["core_run"] == 1
    assert databases.own().vendor == backup.database


def test_backup_fails_its_run_with_the_reason(folder, monkeypatch):
    monkeypatch.setattr(shelf, "room_bytes", lambda: 0)
    run = backing_up.ask(by=SYSTEM, now=NOW)

    tasks.backup(run_id=str(run.pk))

    run.refresh_from_db()
    assert (run.status, run.error_type) == ("failed", "backup_no_room")
    assert "make room" in run.error_message


def test_backup_that_another_process_makes_is_tried_again(folder):
    run = backing_up.ask(by=SYSTEM, now=NOW)

    with shelf.locked():
        tasks.backup(run_id=str(run.pk))

    run.refresh_from_db()
    assert (run.status, run.error_type) == ("queued", "backup_busy")


def test_backup_with_a_bug_names_it(folder, monkeypatch):
    database = make_sqlite(folder.parent / "p.sqlite3")

    def bug() -> None:
        raise StoppedError("a bug")

    monkeypatch.setattr(databases, "own", bug)
    run = backing_up.ask(by=SYSTEM, now=NOW)

    tasks.backup(run_id=str(run.pk))

    run.refresh_from_db()
    assert (run.status, run.error_type) == ("failed", "StoppedError")
    assert database.path.exists()


def test_verify_of_a_backup_that_went_says_so(folder):
    run = Run.objects.create(kind="storage.verify", payload={"backup_id": 0})

    tasks.verify(run_id=str(run.pk))

    run.refresh_from_db()
    assert (run.status, run.error_type) == ("failed", "wrong_source")


def test_thin_counts_in_its_run():
    run = Run.objects.create(kind="storage.thin")

    tasks.thin(run_id=str(run.pk))

    run.refresh_from_db()
    assert (run.status, run.counts) == ("done", {"thinned": 0, "made": 0, "forgotten": 0})


@pytest.mark.parametrize(
    ("kind", "when"), [("core.backup", "02:00"), ("storage.thin", "every 3600 seconds")]
)
def test_schedules_are_seeded(kind, when):
    from importlib import import_module

    from django.apps import apps

    import_module("project.storage.migrations.0002_schedules").seed(apps, None)

    job = PeriodicTask.objects.get(task=kind)
    assert job.enabled
    if job.crontab:
        assert f"{int(job.crontab.hour):02}:{int(job.crontab.minute):02}" == when
        assert str(job.crontab.timezone) == "UTC"
    else:
        assert str(job.interval) == when
    beat.start(job, now=NOW)
    assert Run.objects.get(kind=kind).schedule == job.name
