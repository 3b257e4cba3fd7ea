"""The queue of repairs."""

import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from markets import backfilling, configuring, timeframes
from markets.backfilling import Wanted
from markets.choices import TaskStatus
from markets.models import BackfillTask, Gap
from project.core.callers import SYSTEM
from project.core.models import Run
from tests.markets import doing
from tests.markets.factories import (
    MINUTE,
    NOW,
    START_MS,
    make_backfill_task,
    make_collector_config,
    make_gap,
    make_series,
)

pytestmark = pytest.mark.django_db
GRID = timeframes.of("1m")


def at(number):
    return START_MS + number * MINUTE


def named_series():
    make_collector_config()
    return make_series("BTC/USDT")


def spans(tasks):
    return [((t.start_ms - START_MS) // MINUTE, (t.end_ms - START_MS) // MINUTE) for t in tasks]


def test_adjoining_gaps_become_one_task_and_others_their_own():
    series = make_series()
    for start, end in ((1, 3), (3, 4), (5, 6), (9, 12)):
        make_gap(series, at(start), at(end))

    tasks = backfilling.make_tasks(series, now=NOW)

    assert spans(tasks) == [(1, 4), (5, 6), (9, 12)]
    assert set(Gap.objects.values_list("state", flat=True)) == {"filling"}
    assert backfilling.make_tasks(series, now=NOW) == []


def test_long_gaps_are_cut_into_pieces():
    series = make_series()
    make_gap(series, at(0), at(25_000))

    tasks = backfilling.make_tasks(series, now=NOW)

    assert spans(tasks) == [(0, 10_000), (10_000, 20_000), (20_000, 25_000)]


def test_gaps_are_left_alone_until_their_next_look_unless_staff_ask():
    series = make_series()
    later = make_gap(series, at(1), at(2), next_look_at=NOW + timedelta(minutes=1))
    make_gap(series, at(5), at(6), state="unavailable")

    assert backfilling.make_tasks(series, now=NOW) == []
    assert spans(backfilling.make_tasks(series, now=NOW, any_time=True, only=[later.pk])) == [
        (1, 2)
    ]


@given(
    cuts=st.lists(st.integers(0, 200), unique=True, min_size=2, max_size=20).map(sorted),
)
def test_merged_spans_cover_the_same_and_never_touch(cuts):
    given_spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    touching = given_spans + [(end, end + 1) for _, end in given_spans]
    ordered = sorted(touching)

    found = backfilling.merged(ordered)

    covered = {n for start, end in ordered for n in range(start, end)}
    assert {n for start, end in found for n in range(start, end)} == covered
    assert all(a[1] < b[0] for a, b in itertools.pairwise(found))


@pytest.mark.django_db(transaction=True)
def test_rivals_make_one_task_per_gap():
    series = make_series()
    for number in range(0, 40, 2):
        make_gap(series, at(number), at(number + 1))

    def work(_):
        try:
            return len(backfilling.make_tasks(series, now=NOW))
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as pool:
        made = sum(pool.map(work, range(12)))

    assert made == 20
    assert sorted(spans(BackfillTask.objects.all())) == [(n, n + 1) for n in range(0, 40, 2)]


def test_a_task_that_is_asked_for_starts_at_once():
    series = named_series()
    wanted = Wanted(series, at(0) + 1, at(2) + 1, priority=80)

    task = backfilling.ask(wanted, by=SYSTEM, now=NOW)

    assert spans([task]) == [(0, 3)]
    run = doing.run_of(task)
    assert (run.kind, run.status, run.payload) == (
        "markets.backfill",
        "queued",
        {"task_id": task.pk},
    )
    assert run.subject == "binance:BTC/USDT 1m 2026-01-05 00:00 to 2026-01-05 00:03"


def test_a_task_claims_the_open_gaps_of_its_range():
    series = named_series()
    inside, outside = make_gap(series, at(1), at(2)), make_gap(series, at(8), at(9))

    backfilling.ask(Wanted(series, at(0), at(5)), by=SYSTEM, now=NOW)

    states = dict(Gap.objects.values_list("pk", "state"))
    assert states == {inside.pk: "filling", outside.pk: "open"}


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (at(5), at(5), "end"),
        (at(5), at(1), "end"),
        (at(10_000_000), at(10_000_001), "start"),
        (0, at(0), "start"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(start, end, field):
    series = named_series()

    with pytest.raises(backfilling.BadRangeError) as caught:
        backfilling.ask(Wanted(series, start, end), by=SYSTEM, now=NOW)

    assert [one.field for one in caught.value.fields] == [field]
    assert not BackfillTask.objects.exists()


def test_a_series_that_no_collector_names_cannot_be_backfilled():
    with pytest.raises(configuring.BadCollectorError):
        backfilling.ask(Wanted(make_series(), at(0), at(5)), by=SYSTEM, now=NOW)


def test_the_most_urgent_start_first_then_the_oldest_as_far_as_there_is_room():
    old, new = NOW - timedelta(hours=1), NOW
    tasks = {
        "late": make_backfill_task(priority=50, created_at=new),
        "early": make_backfill_task(priority=50, created_at=old),
        "urgent": make_backfill_task(priority=90, created_at=new),
        "not yet": make_backfill_task(priority=99, next_try_at=NOW + timedelta(minutes=1)),
    }
    more = [make_backfill_task(priority=10) for _ in range(10)]

    started = backfilling.start_due(now=NOW)

    assert started == backfilling.AT_ONCE
    order = [run.payload["task_id"] for run in Run.objects.order_by("created_at", "pk")]
    order = list(Run.objects.values_list("payload__task_id", flat=True))
    assert {tasks["urgent"].pk, tasks["early"].pk, tasks["late"].pk} <= set(order)
    assert len(order) == 8
    assert tasks["not yet"].pk not in order
    assert len(set(order) & {one.pk for one in more}) == 5
    assert backfilling.start_due(now=NOW) == 0


@pytest.mark.django_db(transaction=True)
def test_rivals_start_each_task_once():
    for _ in range(6):
        make_backfill_task()

    def work(_):
        try:
            return backfilling.start_due(now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as pool:
        started = sum(pool.map(work, range(8)))

    assert started == 6
    assert Run.objects.filter(kind="markets.backfill").count() == 6


def test_a_task_whose_run_has_ended_without_a_word_is_put_back():
    gone = make_backfill_task(status="running", run_id=uuid.uuid4(), claim_attempt=1)
    run = Run.objects.create(
        kind="markets.backfill", status="running", claimed_until=NOW, attempt=1
    )
    alive = make_backfill_task(status="running", run_id=run.pk, claim_attempt=1)

    assert backfilling.recover(now=NOW) == 1

    gone.refresh_from_db()
    alive.refresh_from_db()
    assert (gone.status, gone.claim_attempt) == ("pending", None)
    assert alive.status == "running"


def test_only_a_failed_task_is_tried_again():
    failed = make_backfill_task(
        status="failed", ended_at=NOW, attempts=8, done_until_ms=at(3), error_type="timeout"
    )

    again = backfilling.retry(failed, by=SYSTEM, now=NOW)

    assert (again.status, again.attempts, again.done_until_ms) == ("pending", 0, at(3))
    assert doing.run_of(again).status == "queued"
    with pytest.raises(backfilling.TaskNotFailedError):
        backfilling.retry(again, by=SYSTEM, now=NOW)


def test_an_unknown_task_is_not_found():
    with pytest.raises(backfilling.TaskNotFoundError):
        backfilling.find(4711)


@pytest.mark.parametrize(
    "fields",
    [
        {"end_ms": START_MS},
        {"priority": 101},
        {"progress": 100.5},
        {"status": TaskStatus.RUNNING},
        {"status": TaskStatus.RUNNING, "claim_attempt": 1},
        {"claim_attempt": 1},
        {"status": TaskStatus.FAILED},
        {"ended_at": NOW},
    ],
)
def test_database_refuses_tasks_that_make_no_sense(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_backfill_task(**fields)


@pytest.mark.django_db
def test_failed_tasks_wait_again_where_the_failure_may_have_passed():
    day = timedelta(days=1)
    passing = make_backfill_task(status="failed", error_type="network", ended_at=NOW, attempts=8)
    for_good = make_backfill_task(status="failed", error_type="unknown_symbol", ended_at=NOW)
    canceled = make_backfill_task(status="failed", error_type="canceled", ended_at=NOW)
    old = make_backfill_task(status="failed", error_type="timeout", ended_at=NOW - 9 * day)
    make_backfill_task(status="completed", ended_at=NOW)

    assert backfilling.retry_failed_tasks(now=NOW, since=NOW - 7 * day) == 1
    passing.refresh_from_db()
    assert (passing.status, passing.attempts, passing.error_type) == ("pending", 0, "")
    assert passing.run_id is not None
    assert backfilling.retry_failed_tasks(now=NOW, anything=True) == 2
    for task, status in ((for_good, "pending"), (old, "pending"), (canceled, "failed")):
        task.refresh_from_db()
        assert task.status == status


@pytest.mark.django_db
def test_a_task_that_is_tried_again_takes_its_gaps_back():
    series = make_series()
    gap = make_gap(series)
    make_backfill_task(series, status="failed", error_type="network", ended_at=NOW)

    backfilling.retry_failed_tasks(now=NOW)

    gap.refresh_from_db()
    assert gap.state == "filling"
    assert backfilling.make_tasks(series, now=NOW, any_time=True) == []
