import socket
import urllib.request
from types import SimpleNamespace
from typing import Any

import pytest
from celery import signals

from project.core import claims, lifecycle, processes, sweeping


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


def test_worker_of_a_container_tells_its_own_counters(lives, settings, monkeypatch):
    settings.METRICS_PORT = port = free_port()
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)

    signals.beat_init.send(sender=None)

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        assert b"cache_fallbacks_total" in answer.read()
