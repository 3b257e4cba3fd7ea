"""What staff do to many rows, or to one: done by a verb, noted at each row, told."""

from typing import Any

import pytest
from django.contrib import admin, messages
from django.contrib.messages import get_messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.test import RequestFactory

from project.core.admin import acts
from project.core.errors import ConflictError
from project.core.models import AuditEntry, Run
from tests.factories import make_run, make_staff


@pytest.fixture
def request_(db):
    found: Any = RequestFactory().post("/admin/core/run/")
    found.user, found.session = make_staff(email="ada@example.org"), {}
    found._messages = FallbackStorage(found)
    return found


@pytest.fixture
def page():
    return admin.site._registry[Run]


def told(request):
    return [(each.level, str(each)) for each in get_messages(request)]


def noted():
    return set(AuditEntry.objects.values_list("object_id", "said", "user_name"))


def refuse(run):
    if run.status == "done":
        raise ConflictError("it has ended")
    return run.phase != "idle"


def test_each_notes_what_was_done_and_says_what_could_not_be(request_, page):
    done, ended, idle = make_run(), make_run(status="done", kind="a.b"), make_run(phase="idle")

    acts.each(page, request_, [done, ended, idle], refuse, what="Oiled")

    assert noted() == {(str(done.pk), "Oiled.", "ada@example.org")}
    assert told(request_) == [
        (messages.WARNING, f"{ended}: it has ended"),
        (messages.SUCCESS, "Oiled: 1."),
    ]


def test_each_notes_what_was_done_before_a_bug(request_, page):
    runs = [make_run(), make_run()]

    def oil(run):
        if run is runs[1]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        acts.each(page, request_, runs, oil, what="Oiled")

    assert noted() == {(str(runs[0].pk), "Oiled.", "ada@example.org")}
    assert told(request_) == []


def test_each_warns_where_nothing_was_done(request_, page):
    acts.each(page, request_, [], refuse, what="Oiled")

    assert told(request_) == [(messages.WARNING, "Oiled: 0.")]
    assert noted() == set()


def test_together_notes_the_rows_as_they_were_concerned_before(request_, page):
    rows = [make_run(phase="idle"), make_run(phase="idle"), make_run(phase="busy")]
    idle = Run.objects.filter(phase="idle")

    acts.together(page, request_, idle, lambda: f"<b>Woke</b> {idle.update(phase='busy')}.")

    assert noted() == {(str(run.pk), "Woke 2.", "ada@example.org") for run in rows[:2]}
    assert told(request_) == [(messages.SUCCESS, "<b>Woke</b> 2.")]


def test_together_tells_a_refusal_and_notes_nothing(request_, page):
    make_run()

    def deed():
        raise ConflictError("not now")

    acts.together(page, request_, Run.objects.all(), deed)

    assert told(request_) == [(messages.ERROR, f"{ConflictError.title}: not now")]
    assert noted() == set()


def test_one_notes_what_was_said_and_leads_back(request_, page):
    run = make_run()

    answer = acts.one(page, request_, run, lambda: "<i>Oiled.</i>")

    assert answer["Location"] == acts.page_of(run) == f"/admin/core/run/{run.pk}/change/"
    assert noted() == {(str(run.pk), "Oiled.", "ada@example.org")}
