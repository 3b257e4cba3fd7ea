"""Workers killed with -9 in mid-work: whoever goes on leaves no hole and no duplicate."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from markets import collecting
from markets.models import BackfillTask, Candle, CandleRevision, Gap
from project import sandbox
from project.core import sweeping
from project.core.callers import SYSTEM
from project.core.models import Run
from project.sandbox import Fault, FaultKind
from tests.markets import doing
from tests.markets.factories import MINUTE

ROOT = Path(sandbox.__file__).parents[2]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


@pytest.fixture
def slow_world():
    """A world whose pages come late enough to be killed between two of them."""
    plan = sandbox.WorldPlan(
        symbols=("BTC/USDT",), listed_ms=doing.LISTED_MS, clock_ms=doing.CLOCK_MS
    )
    with sandbox.running(plan) as world:
        yield world


def start(run):
    """Do the run in a process of its own."""
    environment = {
        **os.environ,
        "TEST_NAME": str(connection.settings_dict["NAME"]),
        "DJANGO_SETTINGS_MODULE": "tests.markets.worker_settings",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.markets.worker", str(run.pk)], cwd=ROOT, env=environment
    )


def kill_after(world, process, pages):
    wanted = sandbox.Wanted(path="/api/v3/klines")
    try:
        assert world.exchange.log.wait_for(pages, wanted=wanted, at_most_s=60)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def go_on(run):
    """Free the dead worker's run, as every worker's sweeper does, and do it here."""
    sweeping.sweep(idle=0, now=timezone.now())
    run.refresh_from_db()
    assert (run.status, run.takeovers) == ("queued", 1)
    return doing.execute(run)


def moments():
    return list(Candle.objects.order_by("open_time").values_list("open_time", flat=True))


def test_killed_in_mid_collect(slow_world, no_naps):
    collector = doing.make_local(slow_world, start_at="2026-01-05T00:00:00Z", request_limit=200)
    run = collecting.ask(collector, by=SYSTEM, now=timezone.now())
    slow_world.exchange.faults.add(Fault(FaultKind.SLOW, path="*/klines", delay_s=0.15))

    kill_after(slow_world, start(run), pages=6)
    half = len(moments())
    slow_world.exchange.faults.clear()
    slow_world.exchange.log.clear()
    go_on(run)

    run.refresh_from_db()
    assert 0 < half < 2886
    assert run.status == "done"
    assert moments() == list(range(doing.LISTED_MS, doing.CLOCK_MS, MINUTE))
    assert not CandleRevision.objects.exists()
    asked = slow_world.exchange.log.entries(sandbox.Wanted(path="/api/v3/klines"))
    first = min(int(one.query["startTime"]) for one in asked)
    assert first >= doing.LISTED_MS + (half - collecting.ASKED_AGAIN) * MINUTE


def test_killed_in_mid_backfill(slow_world, no_naps):
    collector = doing.make_local(slow_world, start_at="2026-01-05T00:00:00Z", request_limit=200)
    doing.collect(collector)
    whole = moments()
    Candle.objects.filter(open_time__in=whole[100:2600]).delete()
    doing.check_quality()
    run = Run.objects.get(kind="markets.backfill")
    slow_world.exchange.log.clear()
    slow_world.exchange.faults.add(Fault(FaultKind.SLOW, path="*/klines", delay_s=0.15))

    kill_after(slow_world, start(run), pages=5)
    task = BackfillTask.objects.get()
    assert (task.status, task.claim_attempt) == ("running", 1)
    assert task.done_until_ms is not None
    slow_world.exchange.faults.clear()
    slow_world.exchange.log.clear()
    go_on(run)

    task.refresh_from_db()
    assert moments() == whole
    assert (task.status, task.candles_found, task.attempts) == ("completed", 2500, 1)
    assert Gap.objects.get().state == "closed"
    asked = slow_world.exchange.log.entries(sandbox.Wanted(path="/api/v3/klines"))
    assert len(asked) < 12
