"""What the console notes by itself."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from project.core import auditing, noting
from project.core.auditing import Deed
from project.core.callers import SYSTEM
from project.core.choices import Act
from project.core.models import AuditEntry, Run
from tests.factories import make_job, make_run, make_staff


def test_every_registered_page_notes():
    assert [
        page for page in admin.site._registry.values() if not isinstance(page, noting.Noting)
    ] == []


def test_a_page_notes_once():
    page = noting.with_noting(ModelAdmin)

    assert noting.with_noting(page) is page
    assert page.__mro__[1] is noting.Noting


@pytest.mark.django_db
def test_an_objects_history_is_its_part_of_the_trail(client, now):
    run, other = make_run(), make_run()
    auditing.note(run, Deed(Act.DONE, "Oiled."), by=SYSTEM, now=now)
    auditing.note(other, Deed(Act.DONE, "Broken."), by=SYSTEM, now=now)
    client.force_login(make_staff())

    shown = client.get(reverse("admin:core_run_history", args=[run.pk])).content

    assert (b"Oiled." in shown, b"Broken." in shown) == (True, False)


@pytest.mark.django_db
def test_a_refusal_is_noted_with_what_was_said(client):
    run = make_run(status="done")
    client.force_login(make_staff(email="ada@example.org"))

    client.post(reverse("admin:core_run_cancel", args=[run.pk]), {"_form_submitted": "True"})

    entry = AuditEntry.objects.get()
    assert (entry.object_id, entry.user_name) == (str(run.pk), "ada@example.org")
    assert entry.said == "Cancel: The run has ended: the run ended done"


@pytest.mark.django_db
def test_many_deleted_rows_are_all_named(client, monkeypatch):
    monkeypatch.setattr(noting, "_VALUES_OF", 1)
    jobs = [make_job(every_s=60, name=f"job {n}") for n in range(3)]
    client.force_login(make_staff())
    chosen = [str(job.pk) for job in jobs]

    client.post(
        reverse("admin:django_celery_beat_periodictask_changelist"),
        {"action": "delete_selected", "_selected_action": chosen, "post": "yes"},
    )

    found = AuditEntry.objects.filter(act=Act.DELETED)
    assert sorted(found.values_list("object_id", flat=True)) == sorted(chosen)
    assert len([entry for entry in found if entry.changes]) == 1
    assert not Run.objects.exists()


@pytest.mark.django_db
def test_a_deed_is_written_once(client):
    job = make_job(every_s=60, name="Tidy")
    client.force_login(make_staff())
    page = reverse("admin:django_celery_beat_periodictask_change", args=[job.pk])
    known = client.get(page).context["adminform"].form.initial
    form = {name: value for name, value in known.items() if value not in (None, False)}

    client.post(page, {**form, "description": "Sweeps."})
    client.post(page.replace("change", "delete"), {"post": "yes"})

    found = AuditEntry.objects.order_by("pk").values_list("act", "said")
    assert list(found) == [("changed", "Changed Description."), ("deleted", "Deleted.")]
    assert not LogEntry.objects.exists()


@pytest.mark.django_db
def test_what_only_djangos_log_holds_is_taken_over(now):
    """Deeds of before the trail are; those that were written into both are not there twice."""
    ada, run = make_staff(email="ada@example.org"), make_run()
    about = {
        "user": ada,
        "content_type": ContentType.objects.get_for_model(Run),
        "object_id": str(run.pk),
        "object_repr": "a run",
    }
    changed = '[{"changed": {"fields": ["Phase"]}}]'
    for flag, message, before in (
        (ADDITION, '[{"added": {}}]', timedelta(days=2)),
        (CHANGE, changed, timedelta(days=1)),
        (CHANGE, "Canceled.", timedelta(milliseconds=5)),
    ):
        row = LogEntry.objects.create(action_flag=flag, change_message=message, **about)
        LogEntry.objects.filter(pk=row.pk).update(action_time=now - before)
    auditing.note(run, Deed(Act.DONE, "Canceled."), by=SYSTEM, now=now)

    import_module("project.core.migrations.0007_console_log").take_over(apps, None)

    found = auditing.about("core.run", str(run.pk)).values_list("act", "said", "user_name")
    assert list(found) == [
        ("done", "Canceled.", "system"),
        ("changed", "Changed Phase.", "ada@example.org"),
        ("added", "Added.", "ada@example.org"),
    ]
