"""The one way in for candles."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markets import storing
from markets.choices import Source
from markets.models import Candle, CandleRevision
from markets.rows import Row
from markets.storing import Stored
from tests.markets.factories import MINUTE, NOW, START_MS, make_row, make_rows, make_series

pytestmark = pytest.mark.django_db


def upsert(series, rows, **extra):
    return storing.upsert_candles(
        series_id=series.pk, rows=rows, source=Source.COLLECT, now=NOW, **extra
    )


def stored(series):
    names = Row._fields
    return [Row(*found) for found in series.candles.order_by("open_time").values_list(*names)]


def test_upsert_stores_what_it_is_given():
    series = make_series("BTC/USDT")
    rows = [make_row(START_MS, trades=7, quote_volume=1.5), make_row(START_MS + MINUTE)]

    done = upsert(series, rows)

    assert done == Stored(offered=2, inserted=2)
    assert stored(series) == rows


def test_upsert_again_changes_nothing():
    series = make_series("BTC/USDT")
    rows = make_rows(50)
    upsert(series, rows)

    assert upsert(series, rows) == Stored(offered=50)
    assert stored(series) == rows
    assert CandleRevision.objects.count() == 0


def test_upsert_takes_rows_in_any_order_and_the_last_of_repeats():
    series = make_series("BTC/USDT")
    first, second = make_row(START_MS), make_row(START_MS + MINUTE)
    again = make_row(START_MS, 200.0)

    done = upsert(series, [second, first, again])

    assert done == Stored(offered=2, inserted=2)
    assert stored(series) == [again, second]


def test_upsert_completes_a_provisional_candle_without_a_revision():
    series = make_series("BTC/USDT")
    upsert(series, [make_row(final=False, volume=1.0)])

    done = upsert(series, [make_row(final=True, volume=5.0)])

    assert done == Stored(offered=1, updated=1)
    assert stored(series) == [make_row(final=True, volume=5.0)]
    assert CandleRevision.objects.count() == 0


def test_upsert_never_replaces_a_final_candle_by_a_provisional_one():
    series = make_series("BTC/USDT")
    upsert(series, [make_row(volume=5.0)])

    done = upsert(series, [make_row(final=False, volume=1.0)])

    assert done == Stored(offered=1)
    assert stored(series) == [make_row(volume=5.0)]


def test_upsert_logs_both_versions_of_a_final_candle_that_changed():
    series = make_series("BTC/USDT")
    upsert(series, make_rows(3))
    corrected = make_row(START_MS + MINUTE, 101.0)._replace(close=101.9, volume=11.0)

    done = upsert(series, [corrected])

    assert done == Stored(offered=1, updated=1, revised=1)
    revision = CandleRevision.objects.get()
    assert (revision.series_id, revision.open_time) == (series.pk, corrected.open_time)
    assert (revision.old_close, revision.old_volume) == (101.5, 10.0)
    assert (revision.new_close, revision.new_volume) == (101.9, 11.0)
    assert (revision.source, revision.seen_at) == ("collect", NOW)


def test_upsert_keeps_trades_that_the_new_row_does_not_tell():
    series = make_series("BTC/USDT")
    upsert(series, [make_row(trades=7, quote_volume=70.0)])

    assert upsert(series, [make_row()]) == Stored(offered=1)
    assert upsert(series, [make_row(trades=8)]) == Stored(offered=1, updated=1)
    assert stored(series) == [make_row(trades=8, quote_volume=70.0)]


def test_upsert_leaves_other_series_alone():
    one, other = make_series("BTC/USDT"), make_series("ETH/USDT")
    upsert(one, make_rows(3))

    assert upsert(other, make_rows(2)) == Stored(offered=2, inserted=2)
    assert len(stored(one)) == 3


def test_upsert_in_chunks_counts_all():
    series = make_series("BTC/USDT")
    rows = make_rows(25)
    upsert(series, rows[5:7])

    done = upsert(series, iter(rows), chunk=10)

    assert done == Stored(offered=25, inserted=23)
    assert stored(series) == rows


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_database_refuses_values_that_are_no_numbers(value):
    series = make_series("BTC/USDT")

    with pytest.raises(IntegrityError), transaction.atomic():
        upsert(series, [make_row(close=value)])

    assert stored(series) == []


def test_database_refuses_a_moment_before_1970():
    series = make_series("BTC/USDT")

    with pytest.raises(IntegrityError), transaction.atomic():
        upsert(series, [make_row(-MINUTE)])


def test_candles_of_many_years_are_stored():
    series = make_series(timeframe="1M")
    rows = [make_row(moment) for moment in (0, 951_868_800_000, START_MS, 4_102_444_800_000)]

    assert upsert(series, rows) == Stored(offered=4, inserted=4)
    assert stored(series) == rows


prices = st.floats(min_value=0.01, max_value=1e6)
batches = st.lists(
    st.lists(
        st.tuples(st.integers(0, 12), prices, st.booleans()),
        max_size=12,
    ),
    max_size=5,
)


@given(batches=batches)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_upsert_of_any_batches_agrees_with_a_plain_model_of_it(batches):
    with transaction.atomic():
        series = make_series("BTC/USDT")
        model: dict[int, Row] = {}
        inserted = revised = 0
        for batch in batches:
            rows = [make_row(START_MS + n * MINUTE, p, final=f) for n, p, f in batch]
            done = upsert(series, rows)
            inserted, revised = inserted + done.inserted, revised + done.revised
            for row in {row.open_time: row for row in rows}.values():
                old = model.get(row.open_time)
                if old is None or row.final or not old.final:
                    model[row.open_time] = row
        assert stored(series) == [model[moment] for moment in sorted(model)]
        assert inserted == len(model)
        assert CandleRevision.objects.count() == revised
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_rivals_that_store_the_same_candles_leave_each_once():
    series = make_series("BTC/USDT")
    rows = make_rows(400)

    def work(number):
        try:
            return upsert(series, rows[number * 10 :] if number % 2 else rows, chunk=100)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(work, range(6)))

    assert stored(series) == rows
    assert Candle.objects.count() == 400
    assert CandleRevision.objects.count() == 0
