"""OKX's interface, asked raw and through ccxt."""

import json

import ccxt
import ccxt.async_support
import pytest
import requests

from project import sandbox
from tests.sandbox.making import MINUTE_MS, NOW_MS, OPEN_MS, aimed, klines, make_okx, okx_rows

pytestmark = pytest.mark.once


def test_time_answers_in_okxs_shape(world):
    answer = requests.get(f"{world.exchange.url}/api/v5/public/time", timeout=5).json()

    assert answer == {"code": "0", "msg": "", "data": [{"ts": str(NOW_MS)}]}


def test_rows_have_nine_strings_newest_first_and_the_open_one_is_unconfirmed(world):
    rows = okx_rows(world.exchange.url, "candles", limit=3)

    assert [row[0] for row in rows] == [str(OPEN_MS - n * MINUTE_MS) for n in range(3)]
    assert {(len(row), *map(type, row)) for row in rows} == {(9, *[str] * 9)}
    assert [row[8] for row in rows] == ["0", "1", "1"]


def test_cursors_are_exclusive_at_both_ends(world):
    after_ms, before_ms = OPEN_MS - 5 * MINUTE_MS, OPEN_MS - 9 * MINUTE_MS

    rows = okx_rows(world.exchange.url, after=after_ms, before=before_ms)

    assert [int(row[0]) for row in rows] == [OPEN_MS - n * MINUTE_MS for n in (6, 7, 8)]


@pytest.mark.parametrize(
    ("path", "query", "count"),
    [
        ("candles", {}, 100),
        ("candles", {"limit": 1000}, 300),
        ("history-candles", {}, 100),
        ("history-candles", {"limit": 300}, 100),
    ],
)
def test_limits_are_those_of_the_path(world, path, query, count):
    rows = okx_rows(world.exchange.url, path, **query)

    assert (len(rows), rows[0][0]) == (count, str(OPEN_MS))


def test_candles_reach_back_1440_and_history_further(world):
    edge_ms = OPEN_MS - 1438 * MINUTE_MS

    recent = okx_rows(world.exchange.url, "candles", after=edge_ms)
    older = okx_rows(world.exchange.url, "history-candles", after=edge_ms)

    assert [row[0] for row in recent] == [str(edge_ms - MINUTE_MS)]
    assert len(older) == 100


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"instId": "NO-PE"}, 200, "51001"),
        ({"bar": "7m"}, 400, "51000"),
        ({"after": "x"}, 400, "51000"),
        ({"instId": ""}, 400, "50014"),
    ],
)
def test_refusals_are_worded_as_okx_does(world, query, status, code):
    asked = {"instId": "BTC-USDT", **query}

    answer = requests.get(f"{world.exchange.url}/api/v5/market/candles", params=asked, timeout=5)

    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (status, code, [])


def test_instruments_of_other_kinds_are_none(world):
    url = f"{world.exchange.url}/api/v5/public/instruments"

    answers = [
        requests.get(url, params={"instType": kind}, timeout=5).json()
        for kind in ("SPOT", "SWAP", "NONSENSE")
    ]

    assert [(each["code"], len(each["data"])) for each in answers] == [
        ("0", 4),
        ("0", 0),
        ("51000", 0),
    ]


def test_both_exchanges_serve_the_same_candles(world):
    end_ms = OPEN_MS - MINUTE_MS

    okx = [row[:6] for row in okx_rows(world.exchange.url, after=end_ms, limit=5)]

    binance = klines(world.exchange.url, endTime=end_ms - 1, limit=5)
    assert okx == [[str(row[0]), *row[1:6]] for row in reversed(binance)]


def test_ccxt_reads_markets_recent_and_old_candles(world):
    client = make_okx(world.exchange.url)
    since_ms = OPEN_MS - 5000 * MINUTE_MS

    old = client.fetch_ohlcv("BTC/USDT", "1m", since=since_ms, limit=100)
    daily = client.fetch_ohlcv("BTC/USDT", "1d", limit=3)

    assert sorted(client.markets) == ["BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT"]
    assert [row[0] for row in old] == [since_ms + n * MINUTE_MS for n in range(100)]
    assert [row[0] % 86_400_000 for row in daily] == [0, 0, 0]
    paths = [entry.path for entry in world.exchange.log.entries(sandbox.Wanted(venue="okx"))]
    assert paths == [
        "/api/v5/public/instruments",
        "/api/v5/market/history-candles",
        "/api/v5/market/candles",
    ]


def test_ccxt_raw_calls_keep_the_confirm_flag(world):
    client = make_okx(world.exchange.url)

    recent = client.public_get_market_candles({"instId": "BTC-USDT", "bar": "1m", "limit": 2})
    history = client.public_get_market_history_candles({"instId": "BTC-USDT", "bar": "1H"})

    assert [row[8] for row in recent["data"]] == ["0", "1"]
    assert len(history["data"]) == 100


def test_ccxt_raises_bad_symbol(world):
    client = make_okx(world.exchange.url)

    with pytest.raises(ccxt.BadSymbol, match="51001"):
        client.public_get_market_candles({"instId": "NO-PE"})


async def test_ccxt_async_reads_the_same(world):
    client = aimed(ccxt.async_support.okx(), world.exchange.url)
    try:
        await client.load_markets()
        candles = await client.fetch_ohlcv("BTC/USDT", "1h", limit=10)
    finally:
        await client.close()

    assert candles == make_okx(world.exchange.url).fetch_ohlcv("BTC/USDT", "1h", limit=10)


def test_instruments_have_the_recorded_fields(world, exchange_folder):
    recorded = json.loads(
        (exchange_folder / "okx_instruments_SPOT_2022-05-13_trimmed.json").read_text()
    )

    ours = requests.get(
        f"{world.exchange.url}/api/v5/public/instruments", params={"instType": "SPOT"}, timeout=5
    ).json()

    assert set(ours) == {*recorded, "msg"}
    added_since = {"instFamily"}
    assert set(ours["data"][0]) == set(recorded["data"][0]) | added_since
