"""Which candles a reader gets."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markets import reading, timeframes
from markets.reading import BadReadError, MarketNotFoundError, Reader, Window
from tests.markets.factories import MINUTE, START_MS, make_candles, make_market, make_series

pytestmark = pytest.mark.django_db


def at(number):
    return START_MS + number * MINUTE


def read(series, **window):
    reader = Reader(series, Window(**window))
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

    if fill == "none":
        assert found == whole
    else:  # a page that begins with a fill-in begins at the next stored candle instead
        assert [row for row in found if not row[7]] == [row for row in whole if not row[7]]


def test_an_empty_range_is_refused(series):
    with pytest.raises(BadReadError):
        Reader(series, Window(start_ms=at(5), end_ms=at(5)))


def test_csv_has_the_contracts_columns(series):
    found, _ = read(series, limit=1)

    assert reading.CSV_HEADING == "open_time_ms,open,high,low,close,volume"
    assert reading.as_csv(found) == b"1767572340000,105.0,106.0,104.0,105.5,10.0\n"


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
