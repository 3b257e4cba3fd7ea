"""What collector files would change, before anything of them is taken."""

import pytest

from markets import configuring, previewing
from markets.collectorfiles import BadCollectorFileError
from markets.models import CollectorConfig, Series
from markets.previewing import Change

FILE = """name: mine
exchange: {id: binance}
symbols: [{symbol: BTC/USDT, timeframes: [1m, 1h]}]
"""
pytestmark = pytest.mark.django_db


def preview(text=FILE, name="mine.yml"):
    return previewing.preview([(name, text)])[0]


def test_a_new_collector_tells_what_it_sets_and_which_series_are_new():
    found = preview(FILE + "egress: proxy_required\n")

    assert (found.collector, found.state) == ("mine", "new")
    assert Change("exchange.id", None, "binance") in found.changes
    assert Change("egress", None, "proxy_required") in found.changes
    assert "retry.attempts" not in [change.key for change in found.changes]
    assert found.series == ("binance:BTC/USDT 1m", "binance:BTC/USDT 1h")
    assert not CollectorConfig.objects.exists()
    assert not Series.objects.exists()


def test_a_known_collector_tells_each_key_that_would_change():
    configuring.load(FILE, name="mine.yml")

    found = preview(FILE.replace("[1m, 1h]", "[1m, 5m]") + "retry: {attempts: 9}\n")

    assert found.state == "changed"
    assert [change.key for change in found.changes] == ["symbols", "retry.attempts"]
    assert found.changes[1] == Change("retry.attempts", 5, 9)
    assert found.series == ("binance:BTC/USDT 5m",)
    assert preview().state == "unchanged"
    assert CollectorConfig.objects.get().retry_attempts == 5


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "bad.yml, line 1: expected keys such as name and exchange"),
        ("name: [", "bad.yml, line 1: "),
        (FILE + "retries: 3\n", "bad.yml, line 4, retries: there is no such key"),
        (FILE.replace("1h", "7h"), "bad.yml, line 3, symbols.0.timeframes: '7h' is none of"),
        (FILE.replace("binance", "bynance"), "bad.yml, line 2, exchange.id: expected an exchange"),
        (
            FILE.replace("id: binance", "id: binance, urls: {rest: 'ftp://x'}"),
            "bad.yml, line 2, exchange.urls.rest: expected a URL",
        ),
        (FILE + "egress: ${NOWHERE}\n", "bad.yml, line 4, egress: the variable NOWHERE is not set"),
    ],
)
def test_a_bad_file_names_file_line_key_and_expectation(text, problem):
    found = preview(text, "bad.yml")

    assert found.state == "bad"
    assert found.problems[0].startswith(problem)


def test_one_collector_in_two_files_is_bad():
    found = previewing.preview([("one.yml", FILE), ("two.yml", FILE)])

    assert [one.state for one in found] == ["new", "bad"]
    assert "one.yml is of the collector mine, too" in found[1].problems[0]


def test_all_files_are_taken_or_none():
    with pytest.raises(BadCollectorFileError, match=r"two\.yml, line 1"):
        previewing.take([("one.yml", FILE), ("two.yml", "nothing")])
    assert not CollectorConfig.objects.exists()

    done = previewing.take([("one.yml", FILE), ("two.yml", FILE.replace("mine", "yours"))])

    assert [one.created for one in done] == [True, True]
    assert CollectorConfig.objects.count() == 2


@pytest.mark.parametrize("count", [0, previewing.MOST_FILES + 1])
def test_no_file_and_too_many_are_refused(count):
    with pytest.raises(BadCollectorFileError):
        previewing.preview([("x.yml", FILE)] * count)


def test_what_is_exported_changes_nothing_when_it_comes_back():
    done = configuring.load(
        FILE + "mode: {type: incremental, start: 2024-01-01T00:00:00Z}\n", name="x"
    )

    assert preview(configuring.dump(done.collector)).state == "unchanged"
