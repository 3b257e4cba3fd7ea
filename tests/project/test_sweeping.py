import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from project.core import processes, queueing, sweeping
from project.core.choices import RunStatus
from project.core.claims import CLAIM_FOR
from project.core.models import Run, TaskTotals
from tests.factories import last_event, make_run, names_of
from tests.project.rivals import rivals

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dead_worker() -> str:
    """The name of a process of this machine that has ended."""
    code = (
        "import os, sys; sys.path.insert(0, os.getcwd());"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'project.settings');"
        "import django; django.setup();"
        "from project.core import processes; print(processes.own_name())"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return child.stdout.strip()


def sweep(now: Any, *, idle: int = 0) -> dict[str, int]:
    return sweeping.sweep(idle=idle, now=now)


def test_sweep_frees_the_run_of_a_dead_worker_of_this_machine_at_once(dead_worker, now, sent):
    assert dead_worker.count(":") == 2
    run = make_run(status=RunStatus.RUNNING, now=now, worker=dead_worker, checkpoint={"page": 3})

    found = sweep(now)

    run.refresh_from_db()
    assert found == {"freed": 1, "sent": 1}
    assert (run.status, run.takeovers, run.attempt) == ("queued", 1, 1)
    assert (run.error_type, run.checkpoint) == ("worker_died", {"page": 3})
    assert run.error_message == f"worker {dead_worker} died in mid-work (attempt 1)"
    assert sent() == [("tests.job", str(run.pk))]
    assert last_event(run).data["status"] == "queued"


def test_sweep_leaves_the_run_of_a_living_worker(now):
    run = make_run(status=RunStatus.RUNNING, now=now, worker=processes.own_name())

    assert sweep(now) == {"freed": 0, "sent": 0}

    run.refresh_from_db()
    assert run.status == "running"


def test_sweep_frees_the_run_of_another_machine_when_its_claim_ends(now, sent):
    run = make_run(status=RunStatus.RUNNING, now=now, worker="elsewhere/1:2:3")

    assert sweep(now + CLAIM_FOR - timedelta(milliseconds=1))["freed"] == 0
    assert sweep(now + CLAIM_FOR)["freed"] == 1

    run.refresh_from_db()
    assert run.status == "queued"


def test_free_leaves_a_claim_that_was_renewed_since_the_look(now):
    run = make_run(status=RunStatus.RUNNING, now=now, worker="elsewhere/1:2:3")
    seen = Run.objects.get(pk=run.pk)
    Run.objects.filter(pk=run.pk).update(claimed_until=now + timedelta(minutes=1))

    assert not sweeping.free(seen, now=now + CLAIM_FOR)

    run.refresh_from_db()
    assert (run.status, run.takeovers) == ("running", 0)


def test_sweep_by_rivals_frees_a_run_once(now):
    run = make_run(status=RunStatus.RUNNING, now=now, worker="elsewhere/1:2:3")

    came = rivals(6, lambda _: sweep(now + CLAIM_FOR))

    run.refresh_from_db()
    assert sum(found["freed"] for found in came) == 1
    assert sum(found["sent"] for found in came) == 1
    assert (run.takeovers, names_of(run)) == (1, ["run_update", "run_update"])


def test_sweep_ends_the_canceled_run_of_a_dead_worker(now):
    run = make_run(status=RunStatus.RUNNING, now=now, worker="gone/1:2:3", cancel_asked_at=now)

    sweep(now + CLAIM_FOR)

    run.refresh_from_db()
    assert (run.status, run.ended_at) == ("canceled", now + CLAIM_FOR)
    assert last_event(run).event == "canceled"
    assert TaskTotals.objects.get(kind="tests.job").canceled == 1


def test_sweep_fails_a_run_that_kills_every_worker(now, sent):
    run = make_run(status=RunStatus.RUNNING, now=now, worker="gone/1:2:3", attempt=3, takeovers=2)

    sweep(now + CLAIM_FOR)

    run.refresh_from_db()
    assert (run.status, run.takeovers, run.error_type) == ("failed", 3, "worker_died")
    assert run.error_message == "worker gone/1:2:3 died in mid-work (attempt 3)"
    totals = TaskTotals.objects.get(kind="tests.job")
    assert (totals.failed, totals.restarts) == (1, 3)
    assert sent() == []


def test_sweep_fails_an_abandoned_run_of_a_kind_that_is_no_more(now):
    run = make_run(kind="tests.removed", status=RunStatus.RUNNING, now=now, worker="gone/1:2:3")

    sweep(now + CLAIM_FOR)

    run.refresh_from_db()
    assert run.status == "failed"


def test_lost_message_is_sent_again_only_by_an_idle_worker(now, sent):
    run = make_run(now=now, sent_at=now)
    late = now + sweeping.RESEND_AFTER + timedelta(seconds=1)

    assert sweep(now + sweeping.RESEND_AFTER, idle=8)["sent"] == 0
    assert sweep(late, idle=0)["sent"] == 0
    assert sweep(late, idle=8)["sent"] == 1
    assert sweep(late, idle=8)["sent"] == 0

    run.refresh_from_db()
    assert run.sent_at == late
    assert sent() == [("tests.job", str(run.pk))]


def test_lost_messages_are_sent_again_as_many_as_can_be_worked_on(now, sent):
    runs = [make_run(now=now + timedelta(seconds=number), sent_at=now) for number in range(5)]
    late = now + timedelta(minutes=1)

    assert sweep(late, idle=2)["sent"] == 2

    assert sent() == [("tests.job", str(run.pk)) for run in runs[:2]]  # the oldest first


def test_due_retry_is_sent_even_by_a_busy_worker_and_once(now, sent):
    run = make_run(now=now, next_try_at=now, sent_at=None)
    make_run(now=now, next_try_at=now + timedelta(seconds=1), sent_at=None)

    assert sweep(now, idle=0)["sent"] == 1
    assert sweep(now + timedelta(milliseconds=500), idle=0)["sent"] == 0

    assert sent() == [("tests.job", str(run.pk))]


def test_due_retry_that_waits_for_a_busy_worker_is_not_piled_up(now, sent):
    make_run(now=now, next_try_at=now, sent_at=now)
    late = now + timedelta(minutes=10)

    assert sweep(late, idle=0)["sent"] == 0
    assert sweep(late, idle=1)["sent"] == 1


def test_lost_message_of_a_retry_that_is_not_due_waits(now):
    make_run(now=now, next_try_at=now + timedelta(hours=1), sent_at=now)

    assert sweep(now + timedelta(minutes=1), idle=8)["sent"] == 0


def test_sweep_stops_at_the_first_message_that_a_broker_away_refuses(now, monkeypatch):
    tried: list[str] = []

    def away(name: str, *, run_id: str) -> bool:
        tried.append(run_id)
        Run.objects.filter(pk=run_id).update(sent_at=None)
        return False

    monkeypatch.setattr(queueing, "send", away)
    for _ in range(3):
        make_run(now=now, next_try_at=now, sent_at=None)

    assert sweep(now, idle=0)["sent"] == 0

    assert len(tried) == 1


def test_sweep_of_a_message_of_no_known_kind_sends_nothing(now):
    make_run(kind="tests.removed", now=now, sent_at=None)

    assert sweep(now, idle=8)["sent"] == 0


def test_sweep_passes_ended_runs_by(now):
    make_run(status=RunStatus.DONE, now=now, sent_at=None)

    assert sweep(now + timedelta(days=1), idle=8) == {"freed": 0, "sent": 0}


@pytest.mark.parametrize("error", [DatabaseError("away"), RuntimeError("unforeseen")])
def test_sweeper_goes_on_whatever_happens(error, monkeypatch):
    sweeper = sweeping.Sweeper(concurrency=4)
    swept: list[int] = []

    def sweep(*, idle: int, now: Any) -> None:
        swept.append(idle)
        if len(swept) == 3:
            sweeper.stopped.set()
        raise error

    monkeypatch.setattr(sweeping, "SWEEP_EVERY_S", 0.001)
    monkeypatch.setattr(sweeping, "sweep", sweep)

    sweeper.start()
    sweeper.join(10)

    assert swept == [4, 4, 4]
    assert threading.active_count() >= 1
