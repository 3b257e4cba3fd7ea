from types import SimpleNamespace
from typing import Any

import pytest
from celery import signals

from project.core import claims, lifecycle, processes, sweeping


@pytest.fixture
def lives(monkeypatch):
    """What was begun and ended, without threads."""
    told: list[Any] = []
    monkeypatch.setattr(lifecycle, "_sweepers", [])
    monkeypatch.setattr(processes, "begin", lambda role: told.append(("begin", str(role))))
    monkeypatch.setattr(processes, "end", lambda: told.append(("end",)))
    monkeypatch.setattr(sweeping.Sweeper, "start", lambda self: told.append(self.concurrency))
    monkeypatch.setattr(claims, "keeper", claims.Keeper())
    return told


def test_worker_gets_a_heart_and_a_sweeper_and_lets_its_work_go_at_the_end(lives):
    class Consumer:  # Celery asks for something hashable
        controller = SimpleNamespace(concurrency=8)

    sender = Consumer()

    signals.worker_ready.send(sender=sender)
    signals.worker_shutting_down.send(sender="worker@host", sig="TERM", how="warm", exitcode=0)
    signals.worker_shutdown.send(sender=sender)

    assert lives == [("begin", "worker"), 8, ("end",)]
    assert lifecycle._sweepers[0].stopped.is_set()
    assert claims.keeper.is_stopping


def test_beat_gets_a_heart(lives):
    signals.beat_init.send(sender=None)

    assert lives == [("begin", "beat")]
