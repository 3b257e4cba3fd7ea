"""The ledger of gaps: found by one query, each a row once."""

import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import delivering
from accounts.models import WebhookDelivery
from markets import ledger, partitions, storing, timeframes
from markets.choices import GapState, Source
from markets.models import Candle, Gap
from tests.accounts.receiver import receiving
from tests.factories import make_webhook
from tests.markets.factories import (
    MINUTE,
    NOW,
    START_MS,
    make_backfill_task,
    make_candles,
    make_gap,
    make_row,
    make_rows,
    make_series,
)

pytestmark = pytest.mark.django_db
GRID = timeframes.of("1m")


def at(number):
    return START_MS + number * MINUTE


def spans(series, **extra):
    gaps = Gap.objects.filter(series=series, **extra).order_by("start_ms")
    return [
        ((gap.start_ms - START_MS) // MINUTE, (gap.end_ms - START_MS) // MINUTE) for gap in gaps
    ]


def rows_without(count, *numbers):
    return [row for number, row in enumerate(make_rows(count)) if number not in numbers]


@pytest.mark.parametrize(
    ("without", "found"),
    [
        ((), []),
        ((4,), [(4, 5)]),
        ((1, 3), [(1, 2), (3, 4)]),
        ((2, 3, 4, 7), [(2, 5), (7, 8)]),
        ((0, 9), []),
    ],
)
def test_holes_lie_between_stored_candles(without, found):
    series = make_series()
    make_candles(series, 10, without=without)
    make_candles(make_series(), 10)

    holes = ledger.holes(series.pk, GRID)

    assert holes == [(at(start), at(end)) for start, end in found]


@given(kept=st.sets(st.integers(0, 60), max_size=60))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_holes_are_exactly_what_is_missing_between_first_and_last(kept):
    with transaction.atomic():
        series = make_series()
        rows = [make_row(at(number)) for number in sorted(kept)]
        storing.upsert_candles(series_id=series.pk, rows=rows, source=Source.IMPORT, now=NOW)

        found = ledger.holes(series.pk, GRID)

        missing = {at(n) for n in range(min(kept, default=0), max(kept, default=0))} - {
            at(n) for n in kept
        }
        assert {moment for start, end in found for moment in range(start, end, MINUTE)} == missing
        assert all(a[1] < b[0] for a, b in itertools.pairwise(found))
        transaction.set_rollback(True)


def test_holes_of_months_follow_the_calendar():
    series = make_series(timeframe="1M")
    months = (
        1_704_067_200_000,
        1_706_745_600_000,
        1_711_929_600_000,
    )  # 2024: January, February, April
    rows = [make_row(moment) for moment in months]
    storing.upsert_candles(series_id=series.pk, rows=rows, source=Source.IMPORT, now=NOW)

    found = ledger.holes(series.pk, timeframes.of("1M"))

    assert found == [(1_709_251_200_000, 1_711_929_600_000)]


def test_survey_writes_each_hole_once():
    series = make_series()
    make_candles(series, 20, without=(3, 4, 9))

    first = ledger.survey(series, now=NOW)
    again = ledger.survey(series, now=NOW)

    assert (first.opened, first.missing) == (2, 2)
    assert (again.opened, again.closed, again.missing) == (0, 0, 2)
    assert spans(series) == [(3, 5), (9, 10)]
    gap = Gap.objects.get(start_ms=at(3))
    assert (gap.missing, gap.state, gap.reason) == (2, "open", "unknown")


def test_survey_closes_what_was_filled_and_shrinks_what_was_filled_in_part():
    series = make_series()
    make_candles(series, 30, without=(3, *range(10, 20)))
    ledger.survey(series, now=NOW)
    filled = [make_row(at(3)), make_row(at(14)), make_row(at(15))]
    storing.upsert_candles(series_id=series.pk, rows=filled, source=Source.BACKFILL, now=NOW)

    done = ledger.survey(series, now=NOW + timedelta(minutes=1))

    assert done.closed == 1
    assert spans(series, state="closed") == [(3, 4)]
    assert spans(series, state="open") == [(10, 14), (16, 20)]
    assert list(
        Gap.objects.filter(state="open").values_list("missing", flat=True).order_by("start_ms")
    ) == [4, 4]
    assert Gap.objects.get(state="closed").closed_at == NOW + timedelta(minutes=1)


def test_survey_adds_what_is_missing_beside_a_known_gap():
    series = make_series()
    make_candles(series, 20, without=(5,))
    ledger.survey(series, now=NOW)
    Candle.objects.filter(series=series, open_time__in=[at(4), at(6)]).delete()

    ledger.survey(series, now=NOW)

    assert spans(series) == [(4, 5), (5, 6), (6, 7)]


def test_survey_of_a_part_leaves_the_rest_of_the_ledger_alone():
    series = make_series()
    make_candles(series, 30, without=(3, 20))
    ledger.survey(series, now=NOW)
    make_candles(series, 30)

    ledger.survey(series, now=NOW, within=(at(15), at(25)))

    assert spans(series, state="closed") == [(20, 21)]
    assert spans(series, state="open") == [(3, 4)]


def test_survey_opens_gaps_that_nobody_fills_any_more():
    series = make_series()
    make_candles(series, 20, without=(3, 10))
    busy = make_gap(series, at(3), at(4), state=GapState.FILLING)
    left = make_gap(series, at(10), at(11), state=GapState.FILLING)
    make_backfill_task(series, at(3), at(4))

    ledger.survey(series, now=NOW)

    assert Gap.objects.get(pk=busy.pk).state == "filling"
    assert Gap.objects.get(pk=left.pk).state == "open"


def test_database_keeps_a_missing_range_once():
    gap = make_gap()

    with pytest.raises(IntegrityError), transaction.atomic():
        make_gap(gap.series)

    make_gap(gap.series, state=GapState.CLOSED, closed_at=NOW)


@pytest.mark.parametrize(
    "fields", [{"end_ms": START_MS}, {"missing": 0}, {"state": "closed"}, {"closed_at": NOW}]
)
def test_database_refuses_gaps_that_make_no_sense(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_gap(**fields)


@pytest.mark.django_db(transaction=True)
def test_rivals_that_survey_make_each_gap_once():
    series = make_series()
    make_candles(series, 300, without=range(5, 290, 7))

    def work(_):
        try:
            return ledger.survey(series, now=NOW).opened
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as pool:
        opened = sum(pool.map(work, range(12)))

    assert opened == len(range(5, 290, 7))
    assert Gap.objects.count() == opened


def fill(series, count, *, step, offset):
    """Make candles by SQL, leaving out one in ``step``: quicker than to bring them in."""
    partitions.ensure(range(START_MS, START_MS + count * MINUTE, MINUTE))
    numbers = (
        f"SELECT n FROM generate_series(0, {count - 1}) n"
        if connection.vendor == "postgresql"
        else f"WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {count - 1}) SELECT n FROM s"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO markets_candle (series_id, open_time, open, high, low, close, volume, final)"
            f" SELECT {series.pk}, {START_MS} + CAST(n AS bigint) * {MINUTE}, 1, 1, 1, 1, 1, true"
            f" FROM ({numbers}) m WHERE n %% {step} <> {offset}",
            [],
        )


@pytest.mark.timeout(120)
def test_a_million_candles_are_surveyed_in_under_a_second(record_property):
    series = make_series()
    left_out = range(1000, 1_000_000, 5003)
    fill(series, 1_000_000, step=5003, offset=1000)

    # SQLite works in this process: its own time isn't changed by what else the machine does
    clock = time.process_time if connection.vendor == "sqlite" else time.perf_counter
    spent: list[float] = []
    found: list[ledger.Range] = []
    for _ in range(3):
        began_s = clock()
        found = ledger.holes(series.pk, GRID)
        spent.append(clock() - began_s)

    record_property("gaps of 1,000,000 candles", f"{min(spent):.2f} s ({connection.vendor})")
    assert len(found) == len(left_out)
    assert min(spent) < 1.0


def backfilled(series, number):
    rows = [make_row(at(number))]
    storing.upsert_candles(series_id=series.pk, rows=rows, source=Source.BACKFILL, now=NOW)


def test_filled_hole_reaches_a_webhook_once_and_in_part_not_at_all(settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    series = make_series()
    make_candles(series, 10, without=(3, 4))
    with receiving() as receiver:
        make_webhook(url=receiver.url, events=["gap.repaired"])
        ledger.survey(series, now=NOW)
        gap = Gap.objects.get(series=series)
        backfilled(series, 3)
        ledger.survey(series, now=NOW)
        told_in_part = WebhookDelivery.objects.count()
        backfilled(series, 4)
        ledger.survey(series, now=NOW)
        ledger.survey(series, now=NOW)
        delivering.deliver(list(WebhookDelivery.objects.due(at=NOW)), now=NOW)

    ((_, body),) = receiver.came
    said = json.loads(body)
    assert told_in_part == 0
    assert (said["event"], said["data"]["gap_id"]) == ("gap.repaired", gap.pk)
    assert (said["data"]["market"], said["data"]["timeframe"]) == (series.market_id, "1m")
    assert WebhookDelivery.objects.get().status == "delivered"
