"""Attempts at backfill tasks, against the sandbox."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from markets import backfilling, ledger, repairing
from markets.backfilling import Wanted
from markets.models import BackfillTask, Candle, Gap, Series
from project import sandbox
from project.core import runs, working
from project.core.callers import SYSTEM
from project.core.claims import Claim
from project.core.models import Run
from project.sandbox import Fault, FaultKind
from tests.markets import doing
from tests.markets.factories import MINUTE, make_backfill_task

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 1, 5, tzinfo=UTC)
WHOLE = list(range(doing.LISTED_MS, doing.CLOCK_MS, MINUTE))


@pytest.fixture(params=["binance", "okx"])
def collected(request, world, no_naps):
    """The world, with everything of one market stored."""
    doing.collect(doing.make_local(world, request.param, start_at=START))
    world.exchange.log.clear()
    return world


def moments():
    return list(Candle.objects.order_by("open_time").values_list("open_time", flat=True))


def forget(*numbers):
    Candle.objects.filter(open_time__in=[WHOLE[number] for number in numbers]).delete()


def pages(world):
    return [one for one in world.exchange.log.entries() if one.timeframe is not None]


def test_gaps_are_found_given_to_repair_and_filled(collected):
    forget(10, 100, 101, *range(1000, 1900))

    doing.check_quality()
    tasks = doing.backfill_all()

    assert moments() == WHOLE
    assert [(task.status, task.candles_found, task.progress) for task in tasks] == [
        ("completed", 1, 100.0),
        ("completed", 2, 100.0),
        ("completed", 900, 100.0),
    ]
    assert set(Gap.objects.values_list("state", flat=True)) == {"closed"}


def test_a_hole_of_the_exchange_becomes_unavailable_after_a_second_look(collected):
    collected.exchange.candles.add_outage(sandbox.Outage(WHOLE[500], WHOLE[510]))
    forget(*range(500, 510))
    doing.check_quality()

    first = doing.backfill_all()
    gap = Gap.objects.get()
    assert [task.status for task in first] == ["completed"]
    assert (gap.state, gap.reason, gap.looks) == ("open", "no_trades", 1)

    earlier = timezone.now() - ledger.SECOND_LOOK_AFTER
    gap.evidence[0]["at"] = earlier.isoformat().replace("+00:00", "Z")
    gap.next_look_at = timezone.now() - timedelta(seconds=1)
    gap.save()
    doing.check_quality()
    second = doing.backfill_all()
    gap.refresh_from_db()
    assert (gap.state, gap.looks) == ("unavailable", 2)
    assert [task.status for task in second] == ["completed"] * 2

    collected.exchange.log.clear()
    doing.check_quality()
    assert BackfillTask.objects.count() == 2
    assert pages(collected) == []


def test_a_hole_longer_than_a_page_is_proven_by_one_payload_across_it(collected):
    collected.exchange.candles.add_outage(sandbox.Outage(WHOLE[100], WHOLE[2700]))
    forget(*range(100, 2700))
    doing.check_quality()

    doing.backfill_all()

    gap = Gap.objects.get()
    assert (gap.looks, gap.reason, gap.missing) == (1, "no_trades", 2600)
    across = gap.evidence[-1]["window"]
    assert across[0] <= WHOLE[99]
    assert across[1] > WHOLE[2700]


def test_one_page_proves_its_neighbours_too(collected):
    lost = range(1000, 1050, 5)
    for number in lost:
        collected.exchange.candles.add_outage(sandbox.Outage(WHOLE[number], WHOLE[number + 1]))
    forget(*lost)
    doing.check_quality()

    doing.backfill_all()

    assert set(Gap.objects.values_list("looks", flat=True)) == {1}
    assert len(pages(collected)) <= 12


@pytest.mark.parametrize(
    "kind", [FaultKind.HTML200, FaultKind.EMPTY200, FaultKind.NULL_ROWS, FaultKind.DISCONNECT]
)
def test_a_wrong_answer_proves_nothing_and_the_task_comes_again(collected, kind):
    forget(10)
    doing.check_quality()
    collected.exchange.faults.add(Fault(kind))

    task = doing.backfill_all()[0]

    gap = Gap.objects.get()
    assert (task.status, task.attempts) == ("pending", 1)
    assert task.next_try_at is not None
    assert task.next_try_at > timezone.now()
    assert doing.run_of(task).error_type == "attempt_failed"
    assert (gap.state, gap.looks, gap.reason) == ("filling", 0, "unknown")

    collected.exchange.faults.clear()
    BackfillTask.objects.update(next_try_at=None)
    working.execute(str(_sweep().pk), repairing.run, kind="markets.backfill")
    assert doing.backfill_all()[0].status == "completed"
    assert moments() == WHOLE


def _sweep():
    wanted = runs.Ask(kind="markets.backfill", exclusive_key="schedule:sweep")
    return runs.submit(wanted, by=SYSTEM, now=timezone.now())


def test_a_page_with_a_hole_of_its_own_proves_nothing_once_it_is_filled(collected):
    forget(700)
    doing.check_quality()
    fault = collected.exchange.faults.add(Fault(FaultKind.INNER_HOLE, rows=900, times=1))

    doing.backfill_all()

    assert collected.exchange.faults.hits(fault) == 1
    assert moments() == WHOLE
    assert Gap.objects.get().state == "closed"


def test_a_short_page_is_no_proof(collected):
    forget(700)
    doing.check_quality()
    collected.exchange.faults.add(Fault(FaultKind.SHORT_PAGE, rows=900))

    doing.backfill_all()

    assert Gap.objects.get().looks == 0


def test_a_task_fails_after_its_last_attempt_and_lets_its_gaps_go(collected):
    forget(10)
    doing.check_quality()
    collected.exchange.faults.add(Fault(FaultKind.STATUS, status=500))
    BackfillTask.objects.update(attempts=repairing.MAX_ATTEMPTS - 1)

    task = doing.backfill_all()[0]

    gap = Gap.objects.get()
    assert (task.status, task.error_type) == ("failed", "exchange_unavailable")
    assert (gap.state, gap.reason, gap.attempts) == ("open", "fetch_failed", 1)
    assert gap.next_look_at is not None
    assert gap.next_look_at > timezone.now()


def test_an_attempt_goes_on_where_the_last_one_stopped(collected):
    series = Series.objects.get()
    wanted = Wanted(series, WHOLE[0], WHOLE[2000])
    task = backfilling.ask(wanted, by=SYSTEM, now=timezone.now())
    BackfillTask.objects.filter(pk=task.pk).update(done_until_ms=WHOLE[1900])

    doing.backfill_all()

    starts = [
        int(one.query.get("startTime") or int(one.query["before"]) + 1) for one in pages(collected)
    ]
    assert min(starts) == WHOLE[1900]


def test_a_run_that_lost_its_claim_changes_nothing(collected):
    forget(10)
    doing.check_quality()
    task = BackfillTask.objects.get()
    BackfillTask.objects.filter(pk=task.pk).update(
        status="running", claim_attempt=7, run_id=doing.run_of(task).pk
    )

    doing.execute(doing.run_of(task))

    task.refresh_from_db()
    assert (task.status, task.claim_attempt) == ("running", 7)
    assert len(moments()) == len(WHOLE) - 1


def test_a_canceled_run_fails_its_task(collected, monkeypatch):
    forget(10)
    doing.check_quality()
    task = BackfillTask.objects.get()

    calls = []

    def stop(_self):
        calls.append(1)
        if len(calls) > 3:
            raise working.StopWorkError("canceled")

    monkeypatch.setattr("project.core.working.Work.check", stop)
    working.execute(str(task.run_id), repairing.run, kind="markets.backfill")

    task.refresh_from_db()
    assert (task.status, task.error_type) == ("failed", "canceled")
    assert doing.run_of(task).status == "canceled"


def test_a_run_canceled_while_it_waits_fails_its_task_too(collected):
    forget(10)
    doing.check_quality()
    task = BackfillTask.objects.get()
    run = doing.run_of(task)
    runs.cancel(run, by=SYSTEM, now=timezone.now())

    backfilling.start_due(now=timezone.now())

    task.refresh_from_db()
    assert (task.status, task.error_type) == ("failed", "canceled")
    assert Gap.objects.get().state == "open"


def test_a_task_without_a_collector_fails_with_its_reason():
    task = make_backfill_task()
    backfilling.start_one(task, by=SYSTEM, now=timezone.now())

    doing.execute(doing.run_of(task))

    task.refresh_from_db()
    assert (task.status, task.error_type) == ("failed", "bad_collector")


def test_rivals_claim_each_task_once():
    tasks = [make_backfill_task() for _ in range(5)]
    made = [
        Run.objects.create(
            kind="markets.backfill", status="running", attempt=1, claimed_until=timezone.now()
        )
        for _ in range(6)
    ]

    def holder(run):
        return working.Work(Claim(run=run, limit_s=60))

    def work(run):
        try:
            return [t.pk for t in tasks if repairing.take(t.pk, holder(run)) is not None]
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as pool:
        taken = sorted(pk for found in pool.map(work, made) for pk in found)

    assert taken == sorted(task.pk for task in tasks)
