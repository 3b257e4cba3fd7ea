from datetime import timedelta

import pytest
import structlog

from project.core import auditing
from project.core.auditing import Change, Deed
from project.core.callers import SYSTEM, Caller
from project.core.choices import Act
from project.core.models import AuditEntry
from tests.factories import make_audit_entry, make_run, make_staff


@pytest.mark.django_db
def test_an_entry_outlives_who_did_it_and_names_the_request(now):
    ada, run = make_staff(email="ada@example.org"), make_run()
    deed = Deed(Act.CHANGED, "Changed Speed.", [Change("Speed", "1", "2")])

    with structlog.contextvars.bound_contextvars(request_id="abc"):
        entry = auditing.note(run, deed, by=Caller(user_id=ada.pk, is_staff=True), now=now)
    ada.delete()

    entry.refresh_from_db()
    assert (entry.user, entry.user_name, entry.request_id) == (None, "ada@example.org", "abc")
    assert (entry.model, entry.object_id, entry.at) == ("core.run", str(run.pk), now)
    assert entry.changes == [{"name": "Speed", "before": "1", "after": "2"}]


@pytest.mark.django_db
def test_many_objects_cost_two_queries(now, django_assert_num_queries):
    runs = [make_run() for _ in range(5)]
    ada = make_staff()

    with django_assert_num_queries(2):
        auditing.note_all(runs, Deed(Act.DONE, "Canceled."), by=Caller(user_id=ada.pk), now=now)

    assert AuditEntry.objects.count() == 5


@pytest.mark.django_db
def test_about_tells_an_objects_history_newest_first(now):
    old = make_audit_entry(model="core.run", object_id="7", at=now - timedelta(days=1))
    new = make_audit_entry(model="core.run", object_id="7", at=now)
    make_audit_entry(model="core.run", object_id="8")
    make_audit_entry(model="core.halt", object_id="7")

    assert list(auditing.about("core.run", "7")) == [new, old]


@pytest.mark.django_db
def test_watched_gives_what_is_noted_meanwhile(now):
    with auditing.watched() as entries:
        auditing.note_deed(Deed(Act.DONE, "Imported."), model="", by=SYSTEM, now=now)
    auditing.note_deed(Deed(Act.DONE, "Later."), model="", by=SYSTEM, now=now)

    assert [(entry.said, entry.user_name) for entry in entries] == [("Imported.", "system")]
