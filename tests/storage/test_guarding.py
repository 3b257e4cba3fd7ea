"""Whether the installation stands still."""

import pytest
from django.db import DatabaseError
from django.utils import timezone

from project.core import processes
from project.core.choices import Role
from project.core.models import ProcessHeartbeat
from project.runtime import locking
from project.storage import guarding
from project.storage.errors import StillRunningError
from tests.storage.factories import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


def beat(name: str, at=NOW) -> None:
    facts = {"host": "h", "pid": 1, "version": "1", "started_at": NOW}
    ProcessHeartbeat.objects.create(name=name, role=Role.WEB, beat_at=at, **facts)


def test_standing_still_keeps_the_installation_from_starting(settings, monkeypatch):
    monkeypatch.setattr(locking, "LEFTOVERS_AT_MOST_S", 0)

    with (
        guarding.standing_still(about="restore", now=NOW),
        pytest.raises(locking.TakenError, match="restore"),
    ):
        locking.acquire(settings.DATA_DIR, about="x")

    locking.acquire(settings.DATA_DIR, about="x").close()


def test_standing_still_does_not_wait_for_the_dead():
    space = processes.own_name().partition(":")[0]
    beat(f"{space}:4194304:1")  # of this machine, and no such process

    with guarding.standing_still(about="restore", now=NOW):
        pass


def test_standing_still_refuses_while_somebody_else_is_alive():
    beat("other/1:1:1")

    with pytest.raises(StillRunningError, match="web other/1:1:1"):
        guarding.standing_still(about="restore", now=NOW).__enter__()
    with guarding.standing_still(about="restore", now=timezone.now()):
        pass


def test_standing_still_takes_a_database_that_cannot_be_read_for_nobody(monkeypatch):
    def fail(**_):
        raise DatabaseError("damaged")

    monkeypatch.setattr(ProcessHeartbeat.objects, "alive", fail)

    with guarding.standing_still(about="restore", now=NOW):
        pass
