"""Celery on the embedded broker, with workers in processes of their own."""

import importlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from kombu import Connection

from project.runtime.queuefile import QueueFile

pytestmark = pytest.mark.once

WITHIN_S = 30.0


class Trial:
    """One trial application: its client side, its workers and its journal."""

    def __init__(self, folder: Path, module: ModuleType) -> None:
        self.folder = folder
        self.tasks = module
        self.workers: list[subprocess.Popen[bytes]] = []

    def worker(self, *, threads: int = 4) -> subprocess.Popen[bytes]:
        """Start a worker and return it."""
        words = [sys.executable, "-m", "celery", "-q", "-A", "tests.runtime.trial_worker", "worker"]
        words += [
            "-P",
            "threads",
            "-c",
            str(threads),
            "-l",
            "WARNING",
            "-n",
            f"w{len(self.workers)}",
        ]
        worker = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, env={**os.environ, "TRIAL_FOLDER": str(self.folder)}
        )
        self.workers.append(worker)
        return worker

    def journal(self) -> list[str]:
        """Return the lines written so far."""
        path = self.folder / "journal"
        return path.read_text().splitlines() if path.exists() else []

    def wait(self, found: Callable[[], bool]) -> None:
        """Wait until ``found`` says so."""
        until = time.monotonic() + WITHIN_S
        while not found():
            assert time.monotonic() < until, f"not within {WITHIN_S} s: {self.journal()[-5:]}"
            time.sleep(0.01)

    def waiting(self) -> int:
        """Count the messages that nobody holds."""
        return QueueFile(self.folder / "broker.sqlite3").waiting("celery")

    def rows(self) -> int:
        """Count all messages, held ones too."""
        file = QueueFile(self.folder / "broker.sqlite3")
        return int(file._run("SELECT count(*) FROM message")[0][0])


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    monkeypatch.setenv("TRIAL_FOLDER", str(tmp_path))
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)  # Celery prefers it to what an app says
    sys.modules.pop("tests.runtime.trial_app", None)
    module = importlib.import_module("tests.runtime.trial_app")
    trial = Trial(tmp_path, module)
    yield trial
    module.app.close()
    for worker in trial.workers:
        worker.kill()
        worker.wait()


def test_thousand_tasks_by_rival_workers_run_once_each(trial, record_property):
    numbers = [str(number) for number in range(1000)]
    sent_at = time.monotonic()
    for number in numbers:
        trial.tasks.write.delay(number)
    record_property("tasks sent per s", round(1000 / (time.monotonic() - sent_at)))

    trial.worker()
    trial.worker()
    trial.wait(lambda: len(trial.journal()) > 0)
    began_at = time.monotonic()
    trial.wait(lambda: len(trial.journal()) >= 1000)
    record_property("tasks run per s by 2 workers", round(1000 / (time.monotonic() - began_at)))

    trial.wait(lambda: trial.rows() == 0)
    assert Counter(trial.journal()) == Counter(numbers)


def test_killed_worker_in_mid_task_is_followed_by_another_at_once(trial, record_property):
    first = trial.worker(threads=1)
    trial.tasks.slow.delay("a", 60 * 60)
    trial.wait(lambda: trial.journal() == ["begin a again=False"])
    trial.worker(threads=1)
    trial.tasks.write.delay("second is up")
    trial.wait(lambda: "second is up" in trial.journal())

    first.kill()
    first.wait()
    killed_at = time.monotonic()
    trial.wait(lambda: "begin a again=True" in trial.journal())

    record_property("s from kill -9 to the next try", round(time.monotonic() - killed_at, 2))


def test_stopped_worker_ends_its_task_and_keeps_the_rest(trial):
    worker = trial.worker(threads=1)
    trial.tasks.slow.delay("a", 2)  # Celery may take one more message in the first second of a stop
    trial.wait(lambda: trial.journal() == ["begin a again=False"])
    trial.tasks.write.delay("b")

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(WITHIN_S) == 0
    assert trial.journal() == ["begin a again=False", "end a"]
    assert (trial.rows(), trial.waiting()) == (1, 1)


def test_idle_worker_starts_a_task_at_once(trial, record_property):
    trial.worker()
    trial.tasks.write.delay("up")
    trial.wait(lambda: trial.journal() == ["up"])
    waits_ms = []

    for number in range(10):
        time.sleep(0.05)
        sent_at = time.monotonic()
        trial.tasks.write.delay(str(number))
        trial.wait(lambda count=number + 2: len(trial.journal()) == count)
        waits_ms.append((time.monotonic() - sent_at) * 1000)

    record_property("ms from sending to running, median", round(sorted(waits_ms)[5]))
    record_property("ms from sending to running, worst", round(max(waits_ms)))


def test_kombu_queue_get_ack_reject(tmp_path):
    with Connection(f"sqlitequeue:///{tmp_path}/broker.sqlite3") as connection:
        queue = connection.SimpleQueue("things")
        for body, priority in (({"n": 1}, 0), ({"n": 2}, 5)):
            queue.put(body, priority=priority)
        assert queue.qsize() == 2

        urgent = queue.get(timeout=2)
        urgent.requeue()
        again = queue.get(timeout=2)
        again.ack()
        last = queue.get(timeout=2)
        last.reject()

        assert [urgent.payload, again.payload, last.payload] == [{"n": 2}, {"n": 2}, {"n": 1}]
        assert again.delivery_info["redelivered"] is True
        assert last.delivery_info["redelivered"] is False
        assert queue.qsize() == 0
        with pytest.raises(queue.Empty):
            queue.get(timeout=0.1)


def test_ack_after_close_leaves_the_message_to_its_new_holder(tmp_path):
    url = f"sqlitequeue:///{tmp_path}/broker.sqlite3"
    with Connection(url) as other:
        closed = Connection(url)
        old = closed.SimpleQueue("things")
        old.put("x")
        message = old.get(timeout=2)
        closed.close()

        taken = other.SimpleQueue("things").get(timeout=2)
        message.ack()

        with QueueFile(tmp_path / "broker.sqlite3").lock:
            assert taken.payload == "x"
        assert QueueFile(tmp_path / "broker.sqlite3")._run("SELECT count(*) FROM message") == [(1,)]
