import csv
from itertools import islice

import pytest

from project.sandbox.exchange.folder import UnreadableCandlesError, candle_files, read_folder
from project.sandbox.exchange.timeframes import TIMEFRAMES

pytestmark = pytest.mark.once

HEADING = "open_time_ms,open,high,low,close,volume"
ROW = "60000,1.50,2,1,1.5000000000000001,7"


def write(folder, name, *rows, heading=HEADING):
    (folder / name).write_text("\n".join([heading, *rows, ""]))


def test_folder_maps_names_to_markets_and_keeps_the_text(tmp_path):
    write(tmp_path, "some_source_btc_usdt-1m.csv", ROW)
    write(tmp_path, "ETH_BTC-1M.csv", ROW)
    write(tmp_path, "notes.csv", "x")
    write(tmp_path, "a_ETH_BTC-7m.csv", ROW)

    books = read_folder(tmp_path)

    assert {symbol: (book.prefix, book.timeframes) for symbol, book in books.items()} == {
        "ETH/BTC": ("", ("1M",)),
        "BTC/USDT": ("some_source", ("1m",)),
    }
    candle = next(books["BTC/USDT"].forward(TIMEFRAMES["1m"], 0))
    assert (candle.open_ms, candle.open, candle.close) == (60000, "1.50", "1.5000000000000001")


def test_folder_never_mixes_two_sources_of_one_market(tmp_path):
    write(tmp_path, "beta_BTC_USDT-1h.csv", ROW)
    write(tmp_path, "alpha_BTC_USDT-1m.csv", ROW)
    write(tmp_path, "alpha_BTC_USDT-5m.csv", ROW)

    book = read_folder(tmp_path)["BTC/USDT"]

    assert (book.prefix, book.timeframes) == ("alpha", ("1m", "5m"))
    assert list(book.forward(TIMEFRAMES["1h"], 0)) == []


def test_folder_serves_rows_by_time_and_leaves_holes(tmp_path):
    write(tmp_path, "a_BTC_USDT-1m.csv", *(f"{ms},1,1,1,1,1" for ms in (240000, 60000, 120000)))
    book = read_folder(tmp_path)["BTC/USDT"]
    minute = TIMEFRAMES["1m"]

    assert [each.open_ms for each in book.forward(minute, 60001)] == [120000, 240000]
    assert [each.open_ms for each in book.backward(minute, 240000)] == [120000, 60000]
    assert (book.listed_ms, book.end_ms, book.count("1m")) == (60000, 300000, 3)


@pytest.mark.parametrize(
    ("heading", "row", "words"),
    [
        ("time,open,high,low,close,volume", ROW, "heading"),
        (HEADING, "60000,1,2,3", "line 2"),
        (HEADING, "60000,1,2,x,4,5", "line 2"),
        (HEADING, "", "no candle"),
    ],
)
def test_folder_says_what_is_wrong_with_a_file(tmp_path, heading, row, words):
    write(tmp_path, "a_BTC_USDT-1m.csv", row, heading=heading)

    with pytest.raises(UnreadableCandlesError, match=words):
        read_folder(tmp_path)


def test_folder_without_candle_files_is_an_error(tmp_path):
    with pytest.raises(UnreadableCandlesError, match="no file named"):
        read_folder(tmp_path)


def test_real_folder_gives_every_file_its_market(candle_folder):
    books = read_folder(candle_folder)

    served = {
        f"{book.prefix}_{symbol.replace('/', '_')}-{name}"
        for symbol, book in books.items()
        for name in book.timeframes
    }
    assert served == {each.path.stem for each in candle_files(candle_folder)}
    assert books["ETC/BTC"].prefix == "octobot_bittrex"
    assert set(books["BTC/USDT"].timeframes) == {"1m", "1h", "4h", "1d"}


def test_real_file_is_read_row_by_row(candle_folder):
    book = read_folder(candle_folder)["UNITTEST/BTC"]
    with (candle_folder / "freqtrade_UNITTEST_BTC-1m.csv").open(newline="") as lines:
        rows = list(csv.reader(lines))[1:]

    read = [
        [str(c.open_ms), c.open, c.high, c.low, c.close, c.volume]
        for c in islice(book.forward(TIMEFRAMES["1m"], 0), len(rows) + 1)
    ]

    assert read == rows
