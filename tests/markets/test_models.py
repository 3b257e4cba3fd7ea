"""Rules kept by the database."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from markets.models import Candle, CollectorConfig, Exchange, Market, Series
from tests.markets.factories import (
    START_MS,
    make_candles,
    make_collector_config,
    make_market,
    make_quality_summary,
    make_rate_budget,
    make_series,
)

pytestmark = pytest.mark.django_db


def refused(make, **fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        make(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": "range"},
        {"request_limit": 1},
        {"concurrency": 0},
        {"timeout_s": 0},
        {"rate_requests": 0},
        {"rate_per_s": 0},
        {"retry_attempts": 0},
        {"retry_base_s": 5, "retry_max_s": 1},
    ],
)
def test_a_collector_that_cannot_work_is_refused(fields):
    refused(make_collector_config, **fields)


def test_names_are_there_once():
    make_collector_config("mine")
    market = make_market("BTC/USDT")

    refused(make_collector_config, name="mine")
    refused(Market.objects.create, exchange=market.exchange, symbol="BTC/USDT")
    refused(Exchange.objects.create, name="binance")
    series = make_series("BTC/USDT")
    refused(Series.objects.create, market=market, timeframe=series.timeframe)


@pytest.mark.parametrize("fields", [{"score": 101}, {"score": -1}, {"end_ms": START_MS}])
def test_a_summary_that_makes_no_sense_is_refused(fields):
    refused(make_quality_summary, **fields)


def test_a_series_with_candles_is_not_deleted():
    series = make_series()
    make_candles(series, 2)

    with pytest.raises(ProtectedError):
        series.delete()


def test_a_candle_is_there_once_and_belongs_to_a_series():
    series = make_series()
    make_candles(series, 1)
    facts = {"open": 1, "high": 1, "low": 1, "close": 1, "volume": 1, "final": True}

    refused(Candle.objects.create, series=series, open_time=START_MS, **facts)
    assert Candle.objects.get(pk=(series.pk, START_MS)).open == 100.0


def test_the_candle_table_is_made_for_its_database():
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT partstrat FROM pg_partitioned_table"
                " WHERE partrelid = 'markets_candle'::regclass"
            )
            assert cursor.fetchone() == ("r",)
        else:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'markets_candle'")
            assert "WITHOUT ROWID" in cursor.fetchone()[0]


def test_rows_say_what_they_are():
    series = make_series("BTC/USDT")

    assert str(series) == "binance:BTC/USDT 1m"
    assert str(make_collector_config("mine")) == "mine"
    assert str(make_rate_budget(egress="direct")) == "binance from direct"
    assert CollectorConfig.objects.enabled().count() == 1
