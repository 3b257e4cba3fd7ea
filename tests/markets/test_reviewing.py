"""What becomes of what is wrong or odd about candles."""

import pytest

from markets import checking, noting, reviewing, summarising, timeframes
from markets.checking import Asked
from markets.choices import FindingKind, Policy, Source
from markets.detecting import Limits
from markets.models import Finding, QualitySummary
from markets.storing import upsert_candles
from tests.markets.factories import MINUTE, NOW, START_MS, make_collector_config, make_series
from tests.markets.test_detecting import spiked, walk

pytestmark = pytest.mark.django_db


def store(series, rows):
    upsert_candles(series_id=series.pk, rows=rows, source=Source.COLLECT, now=NOW)


def take(series, rows, *, policy=Policy.SKIP, limits=Limits()):  # noqa: B008 -- frozen
    asked = Asked("BTC/USDT", timeframes.of("1m"), rows[0].open_time, rows[-1].open_time + MINUTE)
    page = checking.check(rows, asked, policy=policy)
    store(series, page.rows)
    return reviewing.note_page(series, page, source=Source.COLLECT, limits=limits, now=NOW)


def told(series):
    rows = Finding.objects.filter(series=series).order_by("start_ms", "kind")
    return [(row.kind, (row.start_ms - START_MS) // MINUTE, row.is_stored) for row in rows]


def test_faults_and_odd_candles_of_a_page_become_rows_and_lower_the_day():
    series, rows = make_series(), spiked(walk(300), 200, 1.5)
    rows[100] = rows[100]._replace(high=1.0)

    take(series, [*rows[:50], rows[49], *rows[50:]])
    summarising.recount(series, now=NOW)

    assert told(series) == [
        ("duplicate", 49, True),
        ("bad_ohlc", 100, False),
        ("price_jump", 200, True),
    ]
    day = QualitySummary.objects.get()
    assert (day.duplicate, day.bad_ohlc, day.price_jumps, day.missing) == (1, 1, 1, 1)
    assert day.score < 100


def test_a_page_that_comes_again_counts_once():
    series, rows = make_series(), spiked(walk(300), 200, 1.5)

    for _ in range(3):
        take(series, rows)
        summarising.recount(series, now=NOW)

    assert QualitySummary.objects.get().price_jumps == 1
    assert Finding.objects.get().times_seen == 3


def test_a_candle_that_is_not_final_is_not_judged_yet():
    series, rows = make_series(), spiked(walk(300), 299, 1.5)

    take(series, [*rows[:299], rows[299]._replace(final=False)])

    assert told(series) == []


def test_a_review_drops_what_a_correction_put_right_but_not_what_staff_settled():
    series, rows = make_series(), spiked(spiked(walk(300), 200, 1.5), 250, 1.5)
    take(series, rows)
    noting.settle(Finding.objects.get(start_ms=rows[250].open_time), user="ann", now=NOW)
    store(series, walk(300))

    made, gone = reviewing.review(
        series, start_ms=START_MS, end_ms=START_MS + 86_400_000, limits=Limits(), now=NOW
    )

    assert (made, gone) == (0, 1)
    assert told(series) == [("price_jump", 250, True)]
    assert QualitySummary.objects.get().is_stale


def test_a_review_finds_what_came_in_another_way():
    series = make_series()
    store(series, spiked(walk(300), 200, 1.5))
    span = {"start_ms": START_MS, "end_ms": START_MS + 86_400_000}

    assert reviewing.review(series, **span, limits=Limits(), now=NOW) == (1, 0)
    assert reviewing.review(series, **span, limits=Limits(), now=NOW) == (0, 0)
    assert told(series) == [("price_jump", 200, True)]


def test_a_settled_finding_does_not_count():
    series = make_series()
    take(series, spiked(walk(300), 200, 1.5))
    summarising.recount(series, now=NOW)

    assert reviewing.settle(Finding.objects.get(), user="ann", now=NOW)
    assert not reviewing.settle(Finding.objects.get(), user="ann", now=NOW)
    assert QualitySummary.objects.get().is_stale
    summarising.recount(series, now=NOW)

    assert (QualitySummary.objects.get().price_jumps, QualitySummary.objects.get().score) == (
        0,
        100,
    )


def test_a_flat_line_that_goes_on_stays_one_row():
    series = make_series()
    rows = walk(200)
    price = rows[99].close
    still = [row._replace(open=price, high=price, low=price, close=price) for row in rows[100:]]
    whole = [*rows[:100], *still]

    for until in range(140, 200, 3):
        take(series, whole[until - 5 : until] if until > 140 else whole[:until])

    row = Finding.objects.get(kind=FindingKind.FLAT_LINE)
    assert ((row.start_ms - START_MS) // MINUTE, row.count) == (
        100,
        (row.end_ms - row.start_ms) // MINUTE,
    )
    assert (row.end_ms - START_MS) // MINUTE == 197


def test_the_limits_are_those_of_the_collector():
    series = make_series("BTC/USDT")
    assert reviewing.limits_of(series) == Limits()

    make_collector_config(price_jump_mad=30, is_sparse=True)

    assert reviewing.limits_of(series) == Limits(30, is_sparse=True)


def test_a_finding_that_is_taken_up_again_counts_again():
    series = make_series()
    take(series, spiked(walk(300), 200, 1.5))
    reviewing.settle(Finding.objects.get(), user="ann", now=NOW)
    summarising.recount(series, now=NOW)

    assert reviewing.reopen(Finding.objects.get())
    assert not reviewing.reopen(Finding.objects.get())
    summarising.recount(series, now=NOW)

    assert QualitySummary.objects.get().price_jumps == 1
