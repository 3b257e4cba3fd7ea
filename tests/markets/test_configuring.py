"""Collector files into rows and back."""

import pytest
import yaml

from markets import configuring
from markets.collectorfiles import BadCollectorFileError
from markets.models import CollectorConfig, Market, Series
from tests.markets.test_collectorfiles import GOOD, SHIPPED

pytestmark = pytest.mark.django_db


def test_load_makes_collector_markets_and_series():
    done = configuring.load(SHIPPED, name="binance_btcusdt_1m.yml")

    assert (done.created, done.changed) == (True, True)
    assert str(Market.objects.get()) == "binance:BTC/USDT"
    assert Market.objects.get().enabled
    assert sorted(Series.objects.values_list("timeframe", flat=True)) == ["1h", "1m"]


def test_load_again_changes_nothing_and_a_new_version_is_taken():
    configuring.load(SHIPPED, name="a.yml")

    again = configuring.load(SHIPPED, name="a.yml")
    newer = configuring.load(SHIPPED.replace("requests: 1200", "requests: 600"), name="a.yml")

    assert (again.created, again.changed) == (False, False)
    assert (newer.created, newer.changed) == (False, True)
    assert CollectorConfig.objects.get().rate_requests == 600


def test_load_leaves_a_market_disabled_that_staff_disabled():
    configuring.load(SHIPPED, name="a.yml")
    Market.objects.update(enabled=False)

    configuring.load(SHIPPED.replace("[1m, 1h]", "[1m, 1d]"), name="a.yml")

    assert not Market.objects.get().enabled


@pytest.mark.parametrize("text", [SHIPPED, GOOD])
def test_dump_gives_the_same_document_back(text, monkeypatch):
    monkeypatch.setenv("WHEN", "2024-05-01")
    monkeypatch.setenv("LIMIT", "500")
    done = configuring.load(text, name="a.yml")

    dumped = configuring.dump(done.collector)

    assert yaml.safe_load(dumped) == yaml.safe_load(text)
    again = configuring.load(dumped, name="b.yml")
    assert not again.changed


def test_dump_tells_what_staff_edited_and_keeps_the_rest_as_written():
    done = configuring.load(SHIPPED, name="a.yml")
    CollectorConfig.objects.update(request_limit=100)

    found = yaml.safe_load(configuring.dump(CollectorConfig.objects.get(pk=done.collector.pk)))

    assert found["request"] == {"limit": 100, "concurrency": 4}
    assert found["exchange"]["urls"]["rest"] == "${BINANCE_REST:}"


def test_load_refuses_an_exchange_that_ccxt_does_not_know():
    with pytest.raises(BadCollectorFileError, match=r"a\.yml, line 2, exchange\.id: .*'atlantis'"):
        configuring.load(SHIPPED.replace("id: binance", "id: atlantis"), name="a.yml")

    assert not CollectorConfig.objects.exists()


def test_load_refuses_a_url_that_is_none():
    with pytest.raises(BadCollectorFileError, match=r"exchange\.urls\.rest: expected a URL"):
        configuring.load(SHIPPED, name="a.yml", env={"BINANCE_REST": "file:///etc/passwd"})


def test_means_expand_the_url_when_it_is_used(monkeypatch):
    done = configuring.load(SHIPPED, name="a.yml")

    monkeypatch.setenv("BINANCE_REST", "http://127.0.0.1:9")

    assert configuring.means_of(done.collector).rest_url == "http://127.0.0.1:9"


def test_means_without_the_variable_tell_which_one_it_is():
    done = configuring.load(SHIPPED, name="a.yml")
    done.collector.rest_url = "${NOT_SET_ANYWHERE}"

    with pytest.raises(configuring.BadCollectorError, match="NOT_SET_ANYWHERE"):
        configuring.means_of(done.collector)


def test_collector_of_a_series_is_the_one_that_names_it():
    done = configuring.load(SHIPPED, name="a.yml")
    series = Series.objects.get(timeframe="1h")

    assert configuring.collector_of(series) == done.collector

    CollectorConfig.objects.update(symbols=[{"symbol": "BTC/USDT", "timeframes": ["1m"]}])
    with pytest.raises(configuring.BadCollectorError):
        configuring.collector_of(series)


@pytest.mark.parametrize(("exchange", "timeframe"), [("okx", "8h"), ("kraken", "3m")])
def test_load_refuses_a_timeframe_that_the_exchange_does_not_have(exchange, timeframe):
    text = SHIPPED.replace("id: binance", f"id: {exchange}").replace(
        "[1m, 1h]", f"[1m, {timeframe}]"
    )

    with pytest.raises(
        BadCollectorFileError, match=rf"line \d+, symbols\.0\.timeframes: .*{timeframe}"
    ):
        configuring.load(text, name="a.yml")

    assert not CollectorConfig.objects.exists()


def test_load_takes_every_timeframe_that_the_exchange_has():
    text = SHIPPED.replace("id: binance", "id: okx").replace("[1m, 1h]", "[1m, 3d, 1M]")

    assert configuring.load(text, name="a.yml").created
