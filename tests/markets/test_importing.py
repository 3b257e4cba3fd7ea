"""Candles from CSV files."""

import pytest

from markets import importing
from markets.importing import BadCandleFileError
from markets.storing import Stored
from tests.markets.factories import NOW, START_MS, make_series

pytestmark = pytest.mark.django_db
GOOD = f"open_time_ms,open,high,low,close,volume\n{START_MS},1,2,0.5,1.5,10\n"


def load(text, timeframe="1m"):
    series = make_series("BTC/USDT", timeframe)
    return importing.load_csv(text.splitlines(keepends=True), series=series, now=NOW, name="a.csv")


def test_a_file_goes_in_and_again_changes_nothing():
    assert load(GOOD) == Stored(offered=1, inserted=1)
    assert load(GOOD) == Stored(offered=1)


@pytest.mark.parametrize(
    "text",
    [
        f"volume,close,low,high,open,timestamp\n10,1.5,0.5,2,1,{START_MS}\n",
        "Date,Open,High,Low,Close,Volume\n2026-01-05T00:00:00Z,1,2,0.5,1.5,10\n",
        f"open_time_ms,open,high,low,close,volume\n{START_MS}000,1,2,0.5,1.5,10\n",
    ],
)
def test_columns_come_in_any_order_and_moments_in_several_forms(text):
    load(text)

    candle = make_series("BTC/USDT").candles.get()
    assert (candle.open_time, candle.open, candle.volume) == (START_MS, 1.0, 10.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.csv, line 1: the heading must name one of open_time_ms"),
        ("open,high\n1,2\n", "a.csv, line 1: the heading"),
        (GOOD + "x,1,2,0.5,1.5,10\n", "a.csv, line 3: "),
        (GOOD + "1767571260000,1,2\n", "a.csv, line 3: "),
        (GOOD + "1767571260000,1,2,0.5,many,10\n", "a.csv, line 3: could not convert"),
        (GOOD + "1767571260000,1,2,0.5,nan,10\n", "from line 2: BTC/USDT: not_a_number"),
        (GOOD + "1767571260000,1,0.1,0.5,1,10\n", "from line 2: BTC/USDT: bad_ohlc"),
        (GOOD + "1767571260001,1,2,0.5,1,10\n", "from line 2: BTC/USDT: misaligned"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(text, message):
    with pytest.raises(BadCandleFileError) as caught:
        load(text)

    assert message in str(caught.value)
    assert not make_series("BTC/USDT").candles.exists()
