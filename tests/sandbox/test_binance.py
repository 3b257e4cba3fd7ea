"""Binance's interface, asked raw and through ccxt."""

import json

import ccxt
import ccxt.async_support
import pytest
import requests

from project import sandbox
from project.sandbox.exchange.timeframes import DAY_MS
from tests.sandbox.making import MINUTE_MS, NOW_MS, OPEN_MS, aimed, klines, make_binance

pytestmark = pytest.mark.once


def test_time_and_ping_answer_in_binances_shape(world):
    url = world.exchange.url

    answers = [requests.get(f"{url}/api/v3/{name}", timeout=5).json() for name in ("time", "ping")]

    assert answers == [{"serverTime": NOW_MS}, {}]


def test_klines_have_binances_twelve_columns(world):
    row = klines(world.exchange.url, startTime=OPEN_MS - MINUTE_MS, limit=1)[0]

    assert [type(each) for each in row] == [int, *[str] * 5, int, str, int, *[str] * 3]
    assert (row[0], row[6]) == (OPEN_MS - MINUTE_MS, OPEN_MS - 1)


def test_klines_range_is_inclusive_at_both_ends(world):
    first_ms, last_ms = OPEN_MS - 10 * MINUTE_MS, OPEN_MS - 5 * MINUTE_MS

    rows = klines(world.exchange.url, startTime=first_ms, endTime=last_ms)

    assert [row[0] for row in rows] == list(range(first_ms, last_ms + 1, MINUTE_MS))


@pytest.mark.parametrize(
    ("query", "count", "first_ms", "last_ms"),
    [
        ({}, 500, OPEN_MS - 499 * MINUTE_MS, OPEN_MS),
        ({"limit": 5000}, 1000, OPEN_MS - 999 * MINUTE_MS, OPEN_MS),
        ({"limit": 2, "endTime": OPEN_MS - 1}, 2, OPEN_MS - 2 * MINUTE_MS, OPEN_MS - MINUTE_MS),
        ({"limit": 2, "startTime": OPEN_MS - DAY_MS}, 2, OPEN_MS - DAY_MS, None),
    ],
)
def test_klines_limits_and_open_ends(world, query, count, first_ms, last_ms):
    rows = klines(world.exchange.url, **query)

    assert (len(rows), rows[0][0]) == (count, first_ms)
    assert rows[-1][0] == (first_ms + (count - 1) * MINUTE_MS if last_ms is None else last_ms)


@pytest.mark.parametrize(
    "query",
    [
        {"startTime": NOW_MS + 1},
        {"endTime": 1_000},
        {"startTime": OPEN_MS, "endTime": OPEN_MS - 1},
        {"startTime": 10**19},
    ],
)
def test_klines_where_nothing_is_are_an_empty_page(world, query):
    assert klines(world.exchange.url, **query) == []


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ({"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ({"interval": "7m"}, -1120, "Invalid interval."),
        ({"limit": "x"}, -1100, "Illegal characters found in parameter 'limit'"),
        ({"symbol": ""}, -1102, "Mandatory parameter 'symbol' was not sent"),
    ],
)
def test_klines_refuse_as_binance_does(world, query, code, words):
    asked = {"symbol": "BTCUSDT", "interval": "1m", **query}

    answer = requests.get(f"{world.exchange.url}/api/v3/klines", params=asked, timeout=5)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["msg"].startswith(words)


def test_answers_tell_the_used_weight_by_address(world):
    url = f"{world.exchange.url}/api/v3"
    session = requests.Session()

    used = [
        session.get(f"{url}/{path}", timeout=5).headers["X-MBX-USED-WEIGHT-1M"]
        for path in ("ping", "exchangeInfo", "klines?symbol=BTCUSDT&interval=1m")
    ]

    assert used == ["1", "21", "23"]


def test_last_candle_is_provisional_until_it_closes(world):
    looks = [klines(world.exchange.url, limit=1)[0]]
    world.clock.advance(5_000)
    looks.append(klines(world.exchange.url, limit=1)[0])
    world.clock.advance(60_000)
    final = klines(world.exchange.url, startTime=OPEN_MS, limit=1)[0]

    volumes = [float(row[5]) for row in (*looks, final)]
    assert [row[0] for row in (*looks, final)] == [OPEN_MS] * 3
    assert volumes == sorted(set(volumes))
    assert klines(world.exchange.url, startTime=OPEN_MS, limit=1)[0] == final


def test_ccxt_reads_markets_and_candles(world):
    client = make_binance(world.exchange.url)

    candles = client.fetch_ohlcv("ETH/USDT", "5m", since=OPEN_MS - DAY_MS, limit=1000)

    assert sorted(client.markets) == ["BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT"]
    assert client.markets["BTC/USDT"]["active"] is True
    assert client.markets["BTC/USDT"]["precision"]["price"] == 0.01
    raw = client.public_get_klines(
        {"symbol": "ETHUSDT", "interval": "5m", "startTime": OPEN_MS - DAY_MS, "limit": 1000}
    )
    assert candles == [[int(row[0]), *map(float, row[1:6])] for row in raw]
    assert candles[0][0] == OPEN_MS - OPEN_MS % (5 * MINUTE_MS) - DAY_MS + 5 * MINUTE_MS


def test_ccxt_raises_bad_symbol(world):
    client = make_binance(world.exchange.url)

    with pytest.raises(ccxt.BadSymbol, match="-1121"):
        client.public_get_klines({"symbol": "NOPE", "interval": "1m"})


async def test_ccxt_async_reads_the_same(world):
    client = aimed(ccxt.async_support.binance(), world.exchange.url)
    try:
        await client.load_markets()
        candles = await client.fetch_ohlcv("BTC/USDT", "1h", limit=10)
    finally:
        await client.close()

    assert candles == make_binance(world.exchange.url).fetch_ohlcv("BTC/USDT", "1h", limit=10)


def test_exchange_info_has_the_recorded_fields(world, exchange_folder):
    file = exchange_folder / "binance_exchangeInfo_2021-10-12_trimmed.json"
    recorded = json.loads(file.read_text())

    ours = requests.get(f"{world.exchange.url}/api/v3/exchangeInfo", timeout=5).json()

    assert set(ours) == set(recorded)
    assert set(ours["symbols"][0]) == set(recorded["symbols"][0])
    filters = {each["filterType"]: each for each in recorded["symbols"][0]["filters"]}
    for each in ours["symbols"][0]["filters"]:
        assert set(each) == set(filters[each["filterType"]])


def test_correction_and_outage_change_what_is_served(world):
    at_ms = OPEN_MS - 5 * MINUTE_MS
    before = klines(world.exchange.url, startTime=at_ms, limit=3)

    world.exchange.candles.correct(sandbox.Correction("BTC/USDT", "1m", at_ms, close="1.25"))
    world.exchange.candles.add_outage(
        sandbox.Outage(at_ms + MINUTE_MS, at_ms + 3 * MINUTE_MS, symbol="BTC/USDT")
    )
    after = klines(world.exchange.url, startTime=at_ms, limit=3)

    assert [row[0] for row in after] == [at_ms, at_ms + 3 * MINUTE_MS, at_ms + 4 * MINUTE_MS]
    assert after[0] == [*before[0][:4], "1.25", *before[0][5:]]
    assert len(klines(world.exchange.url, symbol="ETHUSDT", startTime=at_ms, limit=3)) == 3
    world.exchange.candles.end_outages()
    world.exchange.candles.forget_corrections()
    assert klines(world.exchange.url, startTime=at_ms, limit=3) == before
