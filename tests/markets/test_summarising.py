"""Days of a series counted and scored."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from markets import scoring, summarising
from markets.choices import LASTING
from markets.models import QualitySummary
from tests.markets.factories import (
    MINUTE,
    NOW,
    START_MS,
    make_candles,
    make_finding,
    make_gap,
    make_series,
)

DAY = 86_400_000


def day_of(series, number=0):
    return QualitySummary.objects.get(series=series, start_ms=START_MS + number * DAY)


@pytest.mark.django_db
def test_days_are_counted_and_scored():
    series = make_series()
    make_candles(series, 2000, without=range(100, 244))

    assert summarising.recount(series, now=NOW) == 2

    first, second = day_of(series), day_of(series, 1)
    assert (first.expected, first.stored, first.missing) == (1440, 1296, 144)
    assert first.score == pytest.approx(90.0)
    assert (second.expected, second.missing, second.score) == (560, 0, 100.0)


@pytest.mark.django_db
def test_marked_days_are_counted_again_and_others_are_left_alone():
    series = make_series()
    make_candles(series, 5 * 1440)
    summarising.mark(series.pk, START_MS, START_MS + 5 * DAY)

    assert summarising.recount(series, now=NOW) == 5
    assert not QualitySummary.objects.filter(is_stale=True).exists()
    assert summarising.recount(series, now=NOW) == 2
    summarising.mark(series.pk, START_MS + DAY + 5 * MINUTE, START_MS + DAY + 6 * MINUTE)
    assert summarising.recount(series, now=NOW) == 3


@pytest.mark.django_db
def test_the_costs_do_not_grow_with_the_days(django_assert_max_num_queries):
    series = make_series()
    make_candles(series, 6 * 1440)
    summarising.mark(series.pk, START_MS, START_MS + 6 * DAY)

    # on PostgreSQL it looks for the month's partition besides: what a process knows of it does not
    # count inside a transaction, such as a test's
    with django_assert_max_num_queries(9):
        summarising.recount(series, now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["pre_listing", "delisted", "calendar", "marked_by_staff"])
def test_what_never_was_there_is_not_missing(reason):
    series = make_series()
    make_candles(series, 100, without=range(10, 20))
    span = (START_MS + 10 * MINUTE, START_MS + 20 * MINUTE)
    make_gap(series, *span, state="unavailable", reason=reason)

    summarising.recount(series, now=NOW)

    assert (day_of(series).missing, day_of(series).excused, day_of(series).score) == (0, 10, 100.0)


@pytest.mark.django_db
@pytest.mark.parametrize(("is_sparse", "missing"), [(False, 10), (True, 0)])
def test_minutes_without_a_trade_are_missing_unless_the_exchange_is_sparse(is_sparse, missing):
    series = make_series()
    make_candles(series, 100, without=range(10, 20))
    span = (START_MS + 10 * MINUTE, START_MS + 20 * MINUTE)
    make_gap(series, *span, state="unavailable", reason="no_trades")

    summarising.recount(series, now=NOW, is_sparse=is_sparse)

    assert day_of(series).missing == missing


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "column"), [("flat_line", "flat"), ("stalled", "stalled")])
def test_a_run_counts_in_each_of_its_days(kind, column):
    series = make_series()
    make_candles(series, 2 * 1440)
    start = START_MS + DAY - 40 * MINUTE
    make_finding(series, kind=kind, start_ms=start, end_ms=start + 100 * MINUTE, count=100)

    summarising.recount(series, now=NOW)

    days = day_of(series), day_of(series, 1)
    assert [getattr(day, column) for day in days] == [40, 60]


@pytest.mark.django_db
def test_a_series_without_candles_has_no_days():
    assert summarising.recount(make_series(), now=NOW) == 0


FAULTS = st.tuples(
    st.sampled_from([str(kind) for kind in summarising.COLUMN_OF if kind not in LASTING]),
    st.integers(0, 299),
    st.integers(1, 40),
)


class Scores(TestCase):
    """The score of a stored day never rises when a fault is added."""

    @settings(max_examples=25, deadline=None)
    @given(faults=st.lists(FAULTS, min_size=1, max_size=6, unique_by=lambda one: one[:2]))
    def test_score_never_rises_when_a_fault_is_added(self, faults):
        series = make_series()
        make_candles(series, 300)
        summarising.recount(series, now=NOW)
        scores = [day_of(series).score]

        for kind, number, count in faults:
            make_finding(series, kind=kind, start_ms=START_MS + number * MINUTE, count=count)
            summarising.recount(series, now=NOW)
            scores.append(day_of(series).score)

        assert scores == sorted(scores, reverse=True)
        assert scores[-1] < scores[0] == 100
        assert set(summarising.COLUMNS) < set(scoring.WEIGHTS)
