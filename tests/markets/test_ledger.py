"""The ledger of gaps: found by one query, proven by whole pages only."""

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
from markets.checking import Asked, Page
from markets.choices import GapReason, GapState, Source
from markets.models import Candle, Gap, Market, QualitySummary, Series
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


def page(rows, egress="direct", **extra):
    asked = Asked("BTC/USDT", GRID, rows[0].open_time, rows[-1].open_time + MINUTE)
    return Page(asked, rows, egress=egress, **extra)


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


def test_a_whole_page_with_both_sides_and_nothing_inside_proves_no_trades():
    series = make_series()
    make_candles(series, 10, without=(4, 5))
    ledger.survey(series, now=NOW)

    assert ledger.note_page(series, page(rows_without(10, 4, 5)), now=NOW) == 1

    gap = Gap.objects.get()
    assert (gap.reason, gap.state, gap.looks) == ("no_trades", "open", 1)
    assert gap.next_look_at == NOW + ledger.SECOND_LOOK_AFTER
    assert gap.evidence[0] | {"rows": 8, "egress": "direct", "proves": True} == gap.evidence[0]


@pytest.mark.parametrize(
    "rows",
    [
        rows_without(10, 4, 5)[:4],  # only before
        rows_without(10, 4, 5)[4:],  # only after
        rows_without(10, 3, 4, 5),  # not right before
        rows_without(10, 4, 5, 6),  # not right after
        rows_without(10, 4),  # one inside
    ],
)
def test_a_one_sided_or_other_page_proves_nothing(rows):
    series = make_series()
    make_candles(series, 10, without=(4, 5))
    ledger.survey(series, now=NOW)

    assert ledger.note_page(series, page(rows), now=NOW) == 0
    assert Gap.objects.get().looks == 0


def test_an_empty_page_and_one_that_rows_were_taken_from_prove_nothing():
    series = make_series()
    make_candles(series, 10, without=(4,))
    ledger.survey(series, now=NOW)
    empty = Page(Asked("BTC/USDT", GRID, at(0), at(10)), [])

    assert ledger.note_page(series, empty, now=NOW) == 0
    assert ledger.note_page(series, page(rows_without(10, 4), is_whole=False), now=NOW) == 0


@pytest.mark.parametrize(
    ("egress", "later", "state"),
    [
        ("direct", timedelta(seconds=1), "open"),
        ("203.0.113.9", timedelta(seconds=1), "unavailable"),
        ("direct", ledger.SECOND_LOOK_AFTER, "unavailable"),
    ],
)
def test_a_second_look_counts_when_it_is_later_or_by_another_way(egress, later, state):
    series = make_series()
    make_candles(series, 10, without=(4,))
    ledger.survey(series, now=NOW)
    ledger.note_page(series, page(rows_without(10, 4)), now=NOW)

    ledger.note_page(series, page(rows_without(10, 4), egress), now=NOW + later)

    assert Gap.objects.get().state == state


def test_of_a_sparse_exchange_the_first_look_is_enough():
    series = make_series()
    make_candles(series, 10, without=(4,))
    ledger.survey(series, now=NOW)

    ledger.note_page(series, page(rows_without(10, 4)), now=NOW, is_sparse=True)

    gap = Gap.objects.get()
    assert (gap.state, gap.reason, gap.next_look_at) == ("unavailable", "no_trades", None)


def test_looks_that_settle_nothing_are_repeated_ever_later():
    gap = make_gap()
    waits = []
    for _ in range(4):
        gap.refresh_from_db()
        Gap.objects.update(next_look_at=None)
        gap.refresh_from_db()
        ledger.put_off([gap], now=NOW, error="timeout: no answer")
        gap.refresh_from_db()
        assert gap.next_look_at is not None
        waits.append((gap.next_look_at - NOW).total_seconds() / 60)

    assert waits == [10, 20, 40, 80]
    assert (gap.attempts, gap.reason) == (4, "fetch_failed")
    assert gap.evidence[-1]["error"] == "timeout: no answer"


def test_the_same_hole_on_three_symbols_is_an_outage():
    series = [make_series(f"C{n}/BTC", "1m", "okx") for n in range(3)]
    other = make_series("ZZ/BTC", "1m", "binance")
    for one in (*series, other):
        make_gap(one, at(4), at(8))
    single = make_gap(series[0], at(20), at(21))

    told = ledger.note_outages(series[0].market.exchange_id)

    assert told == 3
    reasons = dict(Gap.objects.values_list("pk", "reason"))
    assert reasons.pop(single.pk) == "unknown"
    assert sorted(reasons.values()) == ["exchange_outage"] * 3 + ["unknown"]


def test_two_symbols_are_no_outage_nor_is_another_timeframe():
    one, two = make_series("A/BTC"), make_series("B/BTC")
    hours = make_series("C/BTC", "1h")
    for each in (one, two, hours):
        make_gap(each, at(0), at(60))

    assert ledger.note_outages(one.market.exchange_id) == 0


def test_staff_settle_a_gap_with_a_note():
    gap = make_gap()

    assert ledger.mark(gap, note="halted", now=NOW, user="ann@example.com")

    gap.refresh_from_db()
    assert (gap.state, gap.reason) == ("unavailable", GapReason.MARKED_BY_STAFF)
    assert gap.evidence[-1]["note"] == "halted"
    assert not ledger.mark(gap, note="again", now=NOW, user="ann@example.com")


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
    partitions.ensure(START_MS, START_MS + count * MINUTE)
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


def listed(series, *, is_listed=True, listed_ms=None):
    Market.objects.filter(pk=series.market_id).update(
        is_listed=is_listed, listed_ms=listed_ms, exchange_symbol="X"
    )
    return Series.objects.select_related("market__exchange").get(pk=series.pk)


def test_what_was_missing_before_the_listing_never_was_there():
    series = listed(make_series(), listed_ms=at(10))
    make_gap(series, at(2), at(5))
    make_gap(series, at(8), at(14))
    later = make_gap(series, at(20), at(22))

    assert ledger.note_listing(series, now=NOW) == 2

    told = Gap.objects.order_by("start_ms").values_list("reason", "state", "missing")
    assert list(told) == [
        ("pre_listing", "unavailable", 3),
        ("pre_listing", "unavailable", 2),
        ("unknown", "open", 4),
        ("unknown", "open", 2),
    ]
    assert ledger.note_listing(series, now=NOW) == 0
    later.refresh_from_db()
    assert later.evidence == []


def test_of_a_delisted_market_nothing_is_to_be_had_until_it_is_listed_again():
    series = listed(make_series(), is_listed=False)
    gap = make_gap(series, at(2), at(5))

    assert ledger.note_listing(series, now=NOW) == 1
    gap.refresh_from_db()
    assert (gap.reason, gap.state) == ("delisted", "unavailable")
    ledger.note_listing(listed(series), now=NOW)

    gap.refresh_from_db()
    assert (gap.reason, gap.state) == ("unknown", "open")


@pytest.mark.parametrize("reason", ledger.BY_STAFF)
def test_staff_say_why_a_gap_is_settled(reason):
    gap = make_gap()

    assert ledger.mark(gap, note="closed on Sundays", now=NOW, user="ann", reason=reason)

    gap.refresh_from_db()
    assert (gap.reason, gap.state) == (reason, "unavailable")
    assert gap.evidence[-1]["note"] == "closed on Sundays"
    assert QualitySummary.objects.get().is_stale


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
