"""What the console notes by itself."""

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
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
