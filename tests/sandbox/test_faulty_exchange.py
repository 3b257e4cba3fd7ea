"""Every kind of fault, as a plain client and as ccxt see it."""

import re

import ccxt
import pytest
import requests

from project.sandbox import Fault, FaultKind
from project.sandbox.clock import wall_ms
from tests.sandbox.making import MINUTE_MS, OPEN_MS, klines, make_binance, make_okx, okx_rows

pytestmark = pytest.mark.once

START_MS = OPEN_MS - 20 * MINUTE_MS


def ask(world, path="/api/v3/klines?symbol=BTCUSDT&interval=1m", timeout=5.0):
    return requests.get(f"{world.exchange.url}{path}", timeout=timeout, allow_redirects=False)


def rows_with(world, kind, **more):
    world.exchange.faults.add(Fault(kind, **more))
    return klines(world.exchange.url, startTime=START_MS, limit=9)


@pytest.mark.parametrize(
    ("status", "words", "content_type"),
    [
        (429, '"code": -1003', "application/json"),
        (418, "IP banned until", "application/json"),
        (451, "restricted location", "application/json"),
        (403, "403 Forbidden", "text/html"),
        (500, "Internal Server Error", "text/html"),
        (502, "Bad Gateway", "text/html"),
        (503, "Service Unavailable", "text/html"),
    ],
)
def test_status_is_worded_as_binance_does(world, status, words, content_type):
    world.exchange.faults.add(Fault(FaultKind.STATUS, status=status))

    answer = ask(world)

    assert answer.status_code == status
    assert words in answer.text
    assert answer.headers["Content-Type"].startswith(content_type)


@pytest.mark.parametrize(
    ("status", "code"), [(429, "50011"), (503, "50001"), (403, None), (502, None)]
)
def test_status_is_worded_as_okx_does(world, status, code):
    world.exchange.faults.add(Fault(FaultKind.STATUS, status=status, venue="okx"))

    answer = ask(world, "/api/v5/market/candles?instId=BTC-USDT")

    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code
    assert code is not None or "<html>" in answer.text


def test_ban_tells_when_it_ends(world):
    world.exchange.faults.add(Fault(FaultKind.STATUS, status=418, retry_after_s=90, times=1))
    world.exchange.faults.add(Fault(FaultKind.STATUS, status=418, banned_until_ms=123456))

    about = wall_ms() + 90_000
    first, second = ask(world), ask(world)

    until = re.search(r"banned until (\d+)", first.text)
    assert until is not None
    assert abs(int(until[1]) - about) < 5_000
    assert first.headers["Retry-After"] == "90"
    assert "banned until 123456." in second.text


def test_fault_may_choose_the_exchanges_own_code(world):
    world.exchange.faults.add(Fault(FaultKind.STATUS, status=400, code="-1121", times=1))
    world.exchange.faults.add(Fault(FaultKind.STATUS, status=200, code="50026"))

    binance, okx = ask(world).json(), ask(world, "/api/v5/public/time").json()

    assert binance == {"code": -1121, "msg": "Invalid symbol."}
    assert okx == {"code": "50026", "msg": "System error. Try again later.", "data": []}


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        (FaultKind.CHALLENGE, 403, "Just a moment..."),
        (FaultKind.HTML200, 200, "<!DOCTYPE html>"),
        (FaultKind.REDIRECT, 302, ""),
        (FaultKind.SLOW, 200, "[["),
    ],
)
def test_whole_answer_is_replaced(world, kind, status, body):
    world.exchange.faults.add(Fault(kind, delay_s=0.01, location="/elsewhere"))

    answer = ask(world)

    assert answer.status_code == status
    assert body in answer.text
    assert kind is not FaultKind.REDIRECT or answer.headers["Location"] == "/elsewhere"


def test_empty200_has_no_byte(world):
    world.exchange.faults.add(Fault(FaultKind.EMPTY200))

    answer = ask(world)

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("kind", [FaultKind.DISCONNECT, FaultKind.CUT_BODY])
def test_connection_breaks_before_or_within_the_answer(world, kind):
    world.exchange.faults.add(Fault(kind))

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        ask(world)


def test_hang_never_answers_and_is_logged_without_status(world):
    world.exchange.faults.add(Fault(FaultKind.HANG))

    with pytest.raises(requests.ReadTimeout):
        ask(world, timeout=0.2)

    (entry,) = world.exchange.log.entries()
    assert (entry.status, entry.fault) == (None, "hang")


def test_rows_of_null(world):
    assert rows_with(world, FaultKind.NULL_ROWS) == [[None] * 12] * 9


def test_rows_missing_at_the_end_and_inside(world):
    short = rows_with(world, FaultKind.SHORT_PAGE, rows=4, times=1)
    holed = rows_with(world, FaultKind.INNER_HOLE, rows=3)

    minutes = [(row[0] - START_MS) // MINUTE_MS for row in short]
    assert minutes == [0, 1, 2, 3, 4]
    assert [(row[0] - START_MS) // MINUTE_MS for row in holed] == [0, 1, 2, 6, 7, 8]


def test_rows_twice_and_in_reverse(world):
    doubled = rows_with(world, FaultKind.DUPLICATE_ROWS, rows=2, times=1)
    disordered = rows_with(world, FaultKind.OUT_OF_ORDER, rows=3)

    minutes = [(row[0] - START_MS) // MINUTE_MS for row in doubled]
    assert minutes == [0, 1, 2, 3, 4, 3, 4, 5, 6, 7, 8]
    assert [(row[0] - START_MS) // MINUTE_MS for row in disordered] == [0, 1, 2, 5, 4, 3, 6, 7, 8]


def test_rows_off_the_grid_on_both_exchanges(world):
    binance = rows_with(world, FaultKind.MISALIGNED, rows=1)
    okx = okx_rows(world.exchange.url, after=OPEN_MS, limit=3)

    assert [row[0] % MINUTE_MS for row in binance] == [0, 0, 0, 0, 7_000, 0, 0, 0, 0]
    assert [int(row[0]) % MINUTE_MS for row in okx] == [0, 7_000, 0]
    assert isinstance(okx[1][0], str)


def test_rows_with_impossible_numbers(world):
    upside_down = rows_with(world, FaultKind.BAD_OHLC, times=1)
    not_finite = rows_with(world, FaultKind.BAD_NUMBER)

    assert [float(row[2]) < float(row[3]) for row in upside_down].count(True) == 1
    assert [row[4] for row in not_finite].count("NaN") == 1


def test_rows_of_another_market(world):
    wrong = rows_with(world, FaultKind.WRONG_SYMBOL, symbol="BTC/USDT", times=1)

    assert wrong == klines(world.exchange.url, symbol="ETHUSDT", startTime=START_MS, limit=9)


def test_fault_for_one_path_leaves_the_others_alone(world):
    world.exchange.faults.add(Fault(FaultKind.STATUS, status=500, path="*/klines"))

    statuses = [ask(world, path).status_code for path in ("/api/v3/ping", "/api/v3/klines")]

    assert statuses == [200, 500]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(FaultKind.STATUS, status=429), ccxt.DDoSProtection),
        (Fault(FaultKind.STATUS, status=418), ccxt.DDoSProtection),
        (Fault(FaultKind.STATUS, status=451), ccxt.ExchangeNotAvailable),
        (Fault(FaultKind.STATUS, status=403), ccxt.ExchangeNotAvailable),
        (Fault(FaultKind.STATUS, status=502), ccxt.ExchangeNotAvailable),
        (Fault(FaultKind.DISCONNECT), ccxt.NetworkError),
        (Fault(FaultKind.CUT_BODY), ccxt.NetworkError),
    ],
)
def test_ccxt_raises_for_binance(world, fault, error):
    client = make_binance(world.exchange.url)
    world.exchange.faults.add(fault)

    with pytest.raises(error):
        client.fetch_ohlcv("BTC/USDT", "1m")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(FaultKind.STATUS, status=429), ccxt.RateLimitExceeded),
        (Fault(FaultKind.STATUS, status=503), ccxt.OnMaintenance),
        (Fault(FaultKind.STATUS, status=502), ccxt.ExchangeNotAvailable),
    ],
)
def test_ccxt_raises_for_okx(world, fault, error):
    client = make_okx(world.exchange.url)
    world.exchange.faults.add(fault)

    with pytest.raises(error):
        client.fetch_ohlcv("BTC/USDT", "1m")


@pytest.mark.parametrize("kind", [FaultKind.HTML200, FaultKind.EMPTY200])
def test_ccxt_raises_nothing_for_nonsense_with_200(world, kind):
    binance, okx = make_binance(world.exchange.url), make_okx(world.exchange.url)
    world.exchange.faults.add(Fault(kind))

    answers = [client.fetch_ohlcv("BTC/USDT", "1m") for client in (binance, okx)]

    nothing = [[None] * 6] if kind is FaultKind.HTML200 else []
    assert [answers[0][:1], answers[1]] == [nothing, []]
