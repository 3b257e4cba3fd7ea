"""Candles out of files: looked through, put in, told; by a run too."""

import hashlib
import os
import zipfile
from datetime import timedelta

import pytest

from markets import importing, timeframes
from markets.adapters.files.lines import BadCandleFileError
from markets.adapters.wire import UnknownExchangeError
from markets.importing import BadMarketError
from markets.models import CandleRevision, Market
from markets.storing import Stored
from markets.timeframes import UnknownTimeframeError
from project.core.callers import SYSTEM
from tests.markets import doing
from tests.markets.factories import MINUTE, NOW, START_MS, make_candles, make_series

pytestmark = pytest.mark.django_db
HEADING = "open_time_ms,open,high,low,close,volume\n"
GOOD = f"{HEADING}{START_MS},1,2,0.5,1.5,10\n"


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.csv"


def load(path, text, timeframe="1m", **facts):
    path.write_text(text)
    return importing.load(path, series=make_series("BTC/USDT", timeframe), now=NOW, **facts)


def test_a_file_goes_in_and_again_changes_nothing(path):
    assert load(path, GOOD)[0] == Stored(offered=1, inserted=1)
    assert load(path, GOOD)[0] == Stored(offered=1)


def test_an_archive_that_was_revised_later_is_taken_and_both_versions_are_kept(path):
    load(path, GOOD)

    total, _ = load(path, GOOD.replace("1.5,10", "1.6,12"))

    assert total == Stored(offered=1, updated=1, revised=1)
    logged = CandleRevision.objects.get()
    assert (logged.old_close, logged.new_close, logged.old_volume, logged.new_volume) == (
        *(1.5, 1.6),
        *(10, 12),
    )


def test_looking_through_says_what_would_be_stored_and_stores_nothing(path):
    series = make_series("BTC/USDT")
    make_candles(series, 3)
    path.write_text(
        f"{HEADING}{START_MS},100,101,99,100.5,10\n"  # as it is stored
        f"{START_MS + MINUTE},1,2,0.5,1.5,10\n"  # another
        f"{START_MS + 5 * MINUTE},1,2,0.5,1.5,10\n"  # new
        f"{START_MS + 6 * MINUTE},1,0.1,0.5,1,10\n"  # high below low
        f"{START_MS + 7 * MINUTE + 1},1,2,0.5,1,10\n"  # off the grid
        "x,1,2,0.5,1,10\n"
        f"{START_MS + 8 * MINUTE},1,2,0.5,nan,10\n"
    )

    found = importing.survey(path, series, now=NOW)

    assert (found.read, found.same, found.changed, found.new) == (7, 1, 1, 1)
    assert found.left_out == {"unreadable": 1, "bad_ohlc": 1, "misaligned": 1, "not_a_number": 1}
    assert sorted(line for line, _ in found.examples) == [5, 6, 7, 8]
    assert found.missing(timeframes.of("1m")) == 3
    assert series.candles.count() == 3

    total, after = importing.load(path, series=series, now=NOW)

    assert (total.inserted, total.updated) == (after.new, after.changed) == (1, 1)
    assert after.left_out == found.left_out


@pytest.mark.parametrize(
    ("price", "is_odd"), [(100.5, False), (100.9, False), (90.0, True), (4.2, True)]
)
def test_a_file_of_another_market_is_told_before_it_overwrites(path, price, is_odd):
    series = make_series("BTC/USDT")
    make_candles(series, 2)
    rows = [f"{START_MS + n * MINUTE},{price},{price},{price},{price},1\n" for n in range(5)]
    path.write_text(HEADING + "".join(rows))

    found = importing.survey(path, series, now=NOW)

    assert (found.new, found.changed) == (3, 2)
    assert found.is_another_market is is_odd


def test_a_candle_that_has_not_ended_is_not_final(path):
    now_ms = int(NOW.timestamp() * 1000)
    load(path, f"{HEADING}{now_ms - MINUTE},1,2,0.5,1.5,10\n{now_ms},1,2,0.5,1.5,10\n")

    candles = make_series("BTC/USDT").candles.order_by("open_time")
    assert list(candles.values_list("final", flat=True)) == [True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.csv, line 1: nothing there"),
        ("open,high\n1,2\n", "a.csv, line 1: the heading must name a time"),
        (HEADING, "a.csv: no candle in it"),
        (HEADING + "x,1,2,0.5,1.5,10\n", "a.csv, line 2: Invalid isoformat string: 'x'"),
        (GOOD + f"{START_MS + 1000},1,2,0.5,1.5,10\n", "its candles are 1 s apart; those of 1m"),
    ],
)
def test_what_is_no_file_of_candles_is_refused(path, text, message):
    with pytest.raises(BadCandleFileError) as caught:
        load(path, text, name="a.csv")

    assert message in str(caught.value)
    assert not make_series("BTC/USDT").candles.exists()


def test_a_checksum_is_verified(path):
    told = hashlib.sha256(GOOD.encode()).hexdigest() + "  a.csv"

    assert load(path, GOOD, told=told)[1].checksum == "verified"
    for wrong, message in (("0" * 64, "differs"), ("none", "no SHA-256")):
        with pytest.raises(BadCandleFileError, match=message):
            load(path, GOOD, told=wrong)


@pytest.mark.parametrize(
    "name", ["", "BTC/USDT", "binance:", "binance:BTCUSDT", "binance:BTC/USDT/X", "binance:B TC/U"]
)
def test_what_is_no_market_is_refused(name):
    with pytest.raises(BadMarketError):
        importing.series_for(name, "1m")

    assert not Market.objects.exists()


def test_markets_of_any_spelling_are_made():
    for symbol in ("BTC/USDT", "1000PEPE/USDT", "BTC/USDT:USDT", "币安人生/USDT", "A-B_C.D/EUR"):
        found = importing.series_for(f"binance:{symbol}", "1m")
        assert found == importing.series_for(f"binance:{symbol}", "1m")
        assert found.market.symbol == symbol
    with pytest.raises(UnknownExchangeError):
        importing.series_for("nowhere:BTC/USDT", "1m")
    with pytest.raises(UnknownTimeframeError):
        importing.series_for("binance:BTC/USDT", "7m")


class TestRuns:
    """Uploaded files are stored by a run."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def ask(self, word, **facts):
        wanted = {"name": "a.zip", "series": make_series("BTC/USDT"), "told": "", **facts}
        return importing.ask(word, by=SYSTEM, now=NOW, **wanted)

    def test_a_run_stores_the_file_and_forgets_it(self):
        word = importing.keep([GOOD.encode()])

        run = doing.execute(self.ask(word))

        assert (run.status, run.error_message) == ("done", "")
        assert run.counts["candles"] == run.counts["new"] == 1
        assert make_series("BTC/USDT").candles.count() == 1
        with pytest.raises(BadCandleFileError, match="gone"):
            importing.kept(word)

    def test_a_run_that_leaves_lines_out_is_partial(self):
        word = importing.keep([GOOD.encode(), b"x,1,2,0.5,1.5,10\n"])

        run = doing.execute(self.ask(word))

        assert (run.status, run.counts["left_out"]) == ("partial", 1)
        assert "1 of 2 lines were left out: 1 unreadable" in run.error_message

    def test_a_bad_file_fails_the_run(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "b.zip", "w"):
            pass
        word = importing.keep([(tmp_path / "b.zip").read_bytes()])

        run = doing.execute(self.ask(word))

        assert (run.status, run.error_type) == ("failed", "bad_candle_file")

    def test_uploads_that_nobody_stores_are_swept_after_a_while(self):
        words = [importing.keep([GOOD.encode()]) for _ in range(3)]
        later = NOW + importing.KEPT + timedelta(minutes=1)
        for word, at in zip(words, (NOW, NOW, later), strict=True):
            os.utime(importing.kept(word), (at.timestamp(), at.timestamp()))
        waiting = self.ask(words[1])

        assert importing.sweep(now=later - timedelta(minutes=2)) == 0
        assert importing.sweep(now=later) == 1  # the second is needed, the third is young

        with pytest.raises(BadCandleFileError, match="gone"):
            importing.kept(words[0])
        assert doing.execute(waiting).status == "done"
        assert importing.kept(words[2]).read_text() == GOOD

    def test_too_long_a_file_is_not_kept(self, monkeypatch, tmp_path):
        monkeypatch.setattr(importing, "MOST_UPLOADED", 10)

        with pytest.raises(BadCandleFileError, match="longer than 10"):
            importing.keep([b"12345", b"678901"])

        assert list((tmp_path / "imports").iterdir()) == []

    def test_a_word_leads_nowhere_else(self):
        with pytest.raises(ValueError, match="badly formed"):
            importing.kept("../../etc/passwd")
