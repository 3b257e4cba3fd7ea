"""Which candles a reader gets."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markets import reading, timeframes
from markets.reading import BadReadError, Kept, MarketNotFoundError, Reader, Window
from tests.markets.factories import MINUTE, START_MS, make_candles, make_market, make_series

pytestmark = pytest.mark.django_db


def at(number):
    return START_MS + number * MINUTE


def read(series, **window):
    reader = Reader(Kept(series), Window(**window))
    found = []
    while told := reader.read():
        found += told
    return found, reader.next_ms


@pytest.fixture
def series():
    made = make_series("BTC/USDT")
    make_candles(made, 20, without=(5, 6))
    return made


@pytest.mark.parametrize(
    ("window", "numbers", "next_number"),
    [
        ({}, [n for n in range(20) if n not in (5, 6)], None),
        ({"start_ms": at(3), "end_ms": at(8)}, [3, 4, 7], None),
        ({"start_ms": at(3), "limit": 3}, [3, 4, 7], 8),
        ({"limit": 4}, [16, 17, 18, 19], None),
        ({"end_ms": at(8), "limit": 2}, [4, 7], None),
        ({"limit": 100}, [n for n in range(20) if n not in (5, 6)], None),
        ({"start_ms": at(30)}, [], None),
    ],
)
def test_windows_are_half_open_and_limited(series, window, numbers, next_number):
    found, next_ms = read(series, **window)

    assert [row[0] for row in found] == [at(number) for number in numbers]
    assert next_ms == (None if next_number is None else at(next_number))


def test_fill_ins_are_flagged_and_repeat_the_last_close(series):
    found, _ = read(series, start_ms=at(4), end_ms=at(8), fill="previous")

    assert [(row[0], row[7]) for row in found] == [
        (at(4), False),
        (at(5), True),
        (at(6), True),
        (at(7), False),
    ]
    close = found[0][4]
    assert found[1][1:6] == (close, close, close, close, 0.0)


@given(
    limit=st.integers(1, 30), chunk=st.integers(1, 7), fill=st.sampled_from(["none", "previous"])
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_pages_that_follow_next_make_up_the_whole(series, limit, chunk, fill):
    whole, _ = read(series, start_ms=at(0), fill=fill)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "CHUNK", chunk)
        found, start = [], at(0)
        while start is not None:
            page, start = read(series, start_ms=start, limit=limit, fill=fill)
            assert len(page) <= limit
            found += page

    assert found == whole


def test_a_window_inside_a_hole_is_filled_from_what_stands_before_it(series):
    found, _ = read(series, start_ms=at(5), end_ms=at(7), fill="previous")

    assert [(row[0], row[4], row[7]) for row in found] == [
        (at(5), 104.5, True),
        (at(6), 104.5, True),
    ]


def test_nothing_is_filled_before_the_first_candle_nor_after_the_last(series):
    found, _ = read(series, start_ms=at(-3), end_ms=at(25), fill="previous")

    assert (found[0][0], found[-1][0], len(found)) == (at(0), at(19), 20)


def test_the_last_candles_count_fill_ins_where_they_are_wanted(series):
    found, _ = read(series, limit=15, fill="previous")

    assert [row[0] for row in found] == [at(number) for number in range(5, 20)]


def test_a_hole_of_any_length_is_filled_in_flat_memory(series, monkeypatch):
    monkeypatch.setattr(reading, "CHUNK", 10)
    make_candles(series, 1, start_ms=at(500))
    reader = Reader(Kept(series), Window(start_ms=at(0), fill="previous"))

    sizes = []
    while told := reader.read():
        sizes.append(len(told))

    assert (sum(sizes), max(sizes)) == (501, 10)


def test_an_empty_range_is_refused(series):
    with pytest.raises(BadReadError):
        Reader(Kept(series), Window(start_ms=at(5), end_ms=at(5)))


def test_a_timeframe_that_is_not_kept_is_made_of_the_finest_that_divides_it(series):
    reader = Reader(reading.candles_of(series.market, "5m"), Window(limit=3))

    assert [row[0] for row in reader.read()] == [at(5), at(10), at(15)]
    assert reader.missing == {at(5): 2}


def test_made_candles_are_filled_from_made_ones(series):
    make_candles(series, 5, start_ms=at(30))
    window = Window(start_ms=at(20), end_ms=at(32), fill="previous")

    found = Reader(reading.candles_of(series.market, "5m"), window).read()

    assert [(row[0], row[7]) for row in found] == [
        (at(20), True),
        (at(25), True),
        (at(30), False),
    ]


def test_what_nothing_divides_is_refused():
    series = make_series("XRP/USDT", "1h")

    for name in ("1m", "5m"):
        with pytest.raises(timeframes.UnknownTimeframeError, match="not kept in"):
            reading.candles_of(series.market, name)


def test_markets_are_found_by_name_and_id():
    market = make_market("ETH/USDT")

    assert reading.market_named("binance:ETH/USDT") == market
    assert reading.market_by_id(market.pk) == market
    for name in ("binance:NO/NE", "ETH/USDT", ""):
        with pytest.raises(MarketNotFoundError):
            reading.market_named(name)
    for key in (0, 10**30):
        with pytest.raises(MarketNotFoundError):
            reading.market_by_id(key)


def test_a_timeframe_that_is_not_kept_is_told(series):
    with pytest.raises(timeframes.UnknownTimeframeError, match="not kept in 1h; it is in 1m"):
        reading.series_of(series.market, "1h")
