import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError

from project.core import leading, processes
from project.core.models import Leadership
from tests.project.rivals import rivals

FOR = timedelta(seconds=20)


def lead(now, *, me=None, monkeypatch=None) -> bool:
    if monkeypatch is not None:
        monkeypatch.setattr(processes, "own_name", lambda: me)
    return leading.lead("trial", for_=FOR, now=now)


@pytest.mark.django_db
def test_lead_is_taken_renewed_and_refused_to_others(now, monkeypatch):
    assert lead(now, me="a/1:1:1", monkeypatch=monkeypatch)
    assert lead(now + FOR / 2, me="a/1:1:1", monkeypatch=monkeypatch)
    assert not lead(now + FOR, me="b/1:1:1", monkeypatch=monkeypatch)

    row = Leadership.objects.get()
    assert (row.holder, row.held_until, row.token) == ("a/1:1:1", now + FOR / 2 + FOR, 2)


@pytest.mark.django_db
def test_lead_that_ran_out_goes_to_whoever_asks(now, monkeypatch):
    lead(now, me="a/1:1:1", monkeypatch=monkeypatch)

    assert lead(now + FOR, me="b/1:1:1", monkeypatch=monkeypatch)
    assert not lead(now + FOR, me="a/1:1:1", monkeypatch=monkeypatch)


@pytest.mark.django_db
def test_lead_of_a_dead_process_of_this_machine_is_taken_at_once(now, monkeypatch):
    space = processes.own_name().partition(":")[0]
    gone = f"{space}:{2**22 + 1}:77"  # a number that no process has
    lead(now, me=gone, monkeypatch=monkeypatch)

    assert lead(now, me="b/1:1:1", monkeypatch=monkeypatch)

    assert Leadership.objects.get().holder == "b/1:1:1"


def lead_at(at, number: int) -> bool:
    return leading.lead("trial", for_=FOR, now=at)


@pytest.mark.django_db(transaction=True)
def test_lead_goes_to_one_of_many_rivals(now, monkeypatch):
    monkeypatch.setattr(processes, "own_name", lambda: threading.current_thread().name)
    monkeypatch.setattr(processes, "is_surely_dead", lambda name: False)

    for at in (now, now + FOR, now + 2 * FOR):  # first there is no row yet, then it has run out
        assert sum(rivals(8, partial(lead_at, at))) == 1


@pytest.mark.django_db
def test_two_rows_of_one_name_are_refused_by_the_database():
    Leadership.objects.create(name="trial")

    with pytest.raises(IntegrityError):
        Leadership.objects.create(name="trial")
