"""Asks and answers that a hostile tester would think of: nothing breaks, nothing false is stored."""

import pytest
from django.core.management import CommandError, call_command

from markets import reading, storing, timeframes
from markets.choices import Source
from markets.models import BackfillTask, Candle, CandleRevision
from markets.reading import Reader, Window
from tests.markets.factories import (
    NOW,
    START_MS,
    make_candles,
    make_collector_config,
    make_row,
    make_series,
)

pytestmark = pytest.mark.django_db
FAR = "9999-12-31T23:59:59Z"


@pytest.fixture
def series():
    made = make_series("BTC/USDT")
    make_candles(made, 10)
    make_collector_config(symbols=[{"symbol": "BTC/USDT", "timeframes": ["1m", "3d", "1M"]}])
    return made


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z", "end"),
        ("2026-01-05T00:00:30Z", "2026-01-05T00:00:30Z", "end"),  # unaligned, empty all the same
        ("2026-01-05T00:00:40Z", "2026-01-05T00:00:20Z", "end"),
        ("2026-01-06T00:00:00Z", "2026-01-05T00:00:00Z", "end"),
        ("1969-12-31T00:00:00Z", "2026-01-05T00:00:00Z", "start"),
        ("0001-01-01T00:00:00Z", "2026-01-05T00:00:00Z", "start"),
        ("2999-01-01T00:00:00Z", FAR, "start"),
        ("1970-01-01T00:00:00Z", FAR, "start"),
    ],
)
def test_ranges_without_sense_are_refused_by_name(staff, series, start, end, field):
    body = {"timeframe": "1m", "start": start, "end": end}

    answer = staff.post(f"/api/markets/{series.market_id}/backfill", body)

    assert answer.status_code == 422, answer.json()
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert not BackfillTask.objects.exists()


@pytest.mark.parametrize("timeframe", ["3d", "1M"])
def test_odd_timeframes_are_backfilled_on_their_grid(staff, series, timeframe):
    make_series("BTC/USDT", timeframe)
    body = {"timeframe": timeframe, "start": "2025-02-10T05:06:07Z", "end": FAR}

    answer = staff.post(f"/api/markets/{series.market_id}/backfill", body)

    assert answer.status_code == 202, answer.json()
    task, grid = BackfillTask.objects.get(), timeframes.of(timeframe)
    assert grid.has(task.start_ms)
    assert grid.has(task.end_ms)
    assert task.end_ms < 4_102_444_800_000  # what has not begun is not asked for


@pytest.mark.parametrize("timeframe", ["1m", "1w", "1M", "3d"])
@pytest.mark.parametrize("fill", ["none", "previous"])
@pytest.mark.parametrize(
    "window",
    [
        {"start": FAR},
        {"end": FAR},
        {"start": "1970-01-01", "end": FAR},
        {"start": "1970-01-01", "end": "1970-01-02"},
        {"start": FAR, "limit": "5"},
        {"end": "1970-01-01", "limit": "5"},
        {"limit": "10000000"},
        {"start": "2026-01-05T00:00:30Z", "end": "2026-01-05T00:01:30Z"},
    ],
)
def test_no_window_breaks_reading(user, series, timeframe, fill, window):
    asked = {"timeframe": timeframe, "fill": fill, **window}

    answer = user.get(f"/api/markets/{series.market_id}/candles", asked)

    assert answer.status_code == 200
    assert b"".join(answer.streaming_content).endswith(b"}")


@pytest.mark.parametrize(
    "words",
    [
        {"start": "2026-01-06", "end": "2026-01-05"},
        {"start": "2026-01-05", "end": "2026-01-05"},
        {"start": "1969-01-01", "end": "2026-01-05"},
        {"start": "2999-01-01", "end": "2999-01-02"},
        {"timeframe": "7m"},
        {"timeframe": "1d"},
        {"market": "binance:NO/NE"},
        {"market": "binance"},
        {"market": "../etc:BTC/USDT\n"},
    ],
)
def test_the_command_says_what_is_wrong(series, words):
    usual = {"market": "binance:BTC/USDT", "timeframe": "1m"}
    facts = {"start": "2026-01-05", "end": "2026-01-06", **words}
    market, timeframe = ({**usual, **words}[name] for name in ("market", "timeframe"))
    span = ["--from", facts["start"], "--to", facts["end"]]

    with pytest.raises(CommandError) as caught:
        call_command("backfill", "--market", market, "--timeframe", timeframe, *span)

    assert str(caught.value)
    assert not BackfillTask.objects.exists()


@pytest.mark.parametrize(
    "symbol",
    ["1000PEPE/USDT", "A-B_C/USDT", "币安人生/USDT", "<b>x</b>&\"'/USDT", "a%2Fb/USDT", "%s/%d"],
)
def test_symbols_with_odd_characters_are_shown_and_read(user, admin_client, symbol):
    series = make_series(symbol)
    make_candles(series, 3)

    told = user.get("/api/markets", {"symbol": symbol}).json()["results"]
    page = admin_client.get(f"/admin/markets/market/{series.market_id}/change/")
    file = user.get(f"/api/markets/{series.market_id}/candles", {"format": "csv"})

    assert [one["symbol"] for one in told] == [symbol]
    assert page.status_code == 200
    assert "<b>x</b>" not in page.content.decode()
    assert "\n" not in file["Content-Disposition"]
    assert file["Content-Disposition"].isascii()
    assert reading.market_named(f"binance:{symbol}").pk == series.market_id


def test_a_final_candle_is_never_replaced_by_one_that_is_not():
    series = make_series("BTC/USDT")
    put(series, make_row(START_MS, 100.0))

    put(series, make_row(START_MS, 200.0, final=False))

    assert Candle.objects.get().close == 100.5
    assert not CandleRevision.objects.exists()


def test_every_change_of_a_final_candle_is_in_the_log_in_order():
    series = make_series("BTC/USDT")
    for price in (100.0, 200.0, 200.0, 150.0):
        put(series, make_row(START_MS, price))

    log = CandleRevision.objects.order_by("id").values_list("old_open", "new_open")
    assert list(log) == [(100.0, 200.0), (200.0, 150.0)]


def put(series, row):
    storing.upsert_candles(series_id=series.pk, rows=[row], source=Source.COLLECT, now=NOW)


def test_a_huge_window_of_fill_ins_begins_at_once(series):
    make_candles(series, 1, start_ms=START_MS + 5 * 365 * 86_400_000)

    reader = Reader(reading.candles_of(series.market, "1m"), Window(fill="previous"))

    assert len(reader.read()) == reading.CHUNK
