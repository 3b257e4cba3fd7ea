import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError

from project.core import pids, processes
from project.core.choices import Role
from project.core.models import ProcessHeartbeat
from tests.factories import make_heartbeat


def test_own_name_tells_host_number_and_birth():
    space, pid, birth = processes.own_name().split(":")

    assert "/" in space
    assert int(pid) == os.getpid()
    assert birth == pids.incarnation(os.getpid())
    assert not processes.is_surely_dead(processes.own_name())


def test_process_that_ended_is_surely_dead_and_so_is_its_namesake():
    space = processes.own_name().partition(":")[0]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        birth = pids.incarnation(child.pid)
        alive = processes.is_surely_dead(f"{space}:{child.pid}:{birth}")
        namesake = processes.is_surely_dead(f"{space}:{child.pid}:{birth}1")
        child.kill()
        child.wait()
        gone = processes.is_surely_dead(f"{space}:{child.pid}:{birth}")

    assert (alive, namesake, gone) == (False, True, True)


@pytest.mark.parametrize("name", ["elsewhere/1:2:3", "", "nonsense", "a:b:c"])
def test_process_of_another_machine_may_live(name):
    assert not processes.is_surely_dead(name)


@pytest.mark.django_db
def test_beat_writes_one_row_and_forgets_those_long_gone(now, monkeypatch):
    monkeypatch.setenv("MILLRACE_RESTARTS", "3")
    make_heartbeat(name="old", beat_at=now - processes.FORGET_AFTER - timedelta(seconds=1))
    make_heartbeat(name="silent", beat_at=now - processes.FORGET_AFTER)

    processes.beat(Role.WORKER, started_at=now, now=now)
    processes.beat(Role.WORKER, started_at=now, now=now + timedelta(seconds=5))

    row = ProcessHeartbeat.objects.get(name=processes.own_name())
    assert (row.role, row.pid, row.restarts) == ("worker", os.getpid(), 3)
    assert (row.started_at, row.beat_at) == (now, now + timedelta(seconds=5))
    assert ProcessHeartbeat.objects.count() == 1  # five seconds later "silent" is gone, too


@pytest.fixture
def beats(monkeypatch):
    monkeypatch.setattr(processes, "BEAT_EVERY_S", 0.001)
    monkeypatch.setattr(processes, "_hearts", {})
    return threading.Semaphore(0)


@pytest.mark.django_db(transaction=True)
def test_heart_beats_until_the_end_and_then_the_process_is_gone(beats, monkeypatch):
    beat = processes.beat

    def counted(role, **moments) -> None:
        beat(role, **moments)
        beats.release()

    monkeypatch.setattr(processes, "beat", counted)
    processes.begin(Role.WEB)
    processes.begin(Role.WEB)  # a second time does nothing
    for _ in range(3):
        assert beats.acquire(timeout=10)
    assert ProcessHeartbeat.objects.get().role == "web"
    (heart,) = processes._hearts.values()

    processes.end()

    assert not heart.is_alive()
    assert not ProcessHeartbeat.objects.exists()


@pytest.mark.parametrize("error", [DatabaseError("away"), RuntimeError("unforeseen")])
@pytest.mark.django_db(transaction=True)
def test_heart_outlives_a_database_that_is_away(error, beats, monkeypatch):
    def away(role, **moments) -> None:
        beats.release()
        raise error

    monkeypatch.setattr(processes, "beat", away)
    processes.begin(Role.WEB)

    for _ in range(3):
        assert beats.acquire(timeout=10)
    processes.end()


@pytest.mark.django_db
def test_two_rows_of_one_process_are_refused_by_the_database():
    make_heartbeat(name="a")

    with pytest.raises(IntegrityError):
        make_heartbeat(name="a")
