"""How good the series were lately."""

import pytest

from markets import reporting, summarising
from markets.models import QualitySummary
from project.core.moments import from_ms
from tests.markets.factories import (
    MINUTE,
    NOW,
    START_MS,
    make_candles,
    make_gap,
    make_quality_summary,
    make_series,
)

DAY = 86_400_000
NOON = from_ms(START_MS + DAY + DAY // 2)
pytestmark = pytest.mark.django_db


def day(series, number, **fields):
    start = START_MS + number * DAY
    facts = {"start_ms": start, "end_ms": start + DAY, "expected": 1440, "stored": 1440, **fields}
    return make_quality_summary(series, **facts)


def report(hours=24, now=NOON):
    found = reporting.scored(hours=hours, now=now).order_by("avg_score", "pk")
    return [
        (one.series.market.symbol, one.avg_score, one.total_missing, one.days)
        for one in reporting.lines(list(found), hours=hours, now=now)
    ]


def test_days_of_the_window_are_averaged_and_their_missing_candles_added():
    good, bad = make_series("GOOD/USDT"), make_series("BAD/USDT")
    day(good, 1)
    day(bad, 0, missing=100, score=90.0)
    day(bad, 1, missing=50, score=80.0)
    day(bad, -3, missing=7, score=10.0)

    assert report() == [("BAD/USDT", 85.0, 150, 2), ("GOOD/USDT", 100.0, 0, 1)]
    assert report(hours=1) == [("BAD/USDT", 80.0, 50, 1), ("GOOD/USDT", 100.0, 0, 1)]


def test_what_was_missing_before_the_window_is_not_counted():
    series = make_series("BAD/USDT")
    day(series, 0, missing=40, score=97.0)
    day(series, 1)
    noon = START_MS + DAY // 2
    make_gap(series, noon - 30 * MINUTE, noon + 10 * MINUTE)

    assert report() == [("BAD/USDT", 98.5, 10, 2)]


def test_the_report_costs_two_queries_for_any_number_of_series(django_assert_num_queries):
    for number in range(5):
        day(make_series(f"C{number}/USDT"), 0, missing=3)

    with django_assert_num_queries(2):
        assert len(report()) == 5


def test_days_that_expect_nothing_are_left_out():
    day(make_series("WEEK/USDT", "1w"), 1, expected=0, stored=0)

    assert report() == []


def test_the_heat_map_has_a_cell_for_each_day(django_assert_num_queries):
    one, two = make_series("ONE/USDT"), make_series("TWO/USDT")
    known = day(one, 0, score=55.0, missing=9)

    with django_assert_num_queries(1):
        found = reporting.heat_map([one, two], days=3, now=NOON)

    assert [cell.score for cell in found[0].cells] == [None, 55.0, None]
    assert found[0].cells[1].summary_id == known.pk
    assert [cell.score for cell in found[1].cells] == [None] * 3
    assert found[1].cells[-1].day_ms == START_MS + DAY


def test_factors_lead_from_a_hundred_to_the_score():
    series = make_series()
    make_candles(series, 300, without=range(50, 80))
    summarising.recount(series, now=NOW)
    QualitySummary.objects.update(price_jumps=3)
    row = QualitySummary.objects.get()

    found = reporting.factors(row)

    assert [(one.kind, one.faults, one.weight) for one in found] == [
        ("missing", 30, 1.0),
        ("price_jumps", 3, 0.3),
    ]
    assert found[0].left == pytest.approx(90.0)
    assert found[1].left == pytest.approx(90.0 * (1 - 0.3 * 0.01))
    assert reporting.faults_of([row, row]) == {"missing": 60, "price_jumps": 6}
