import re
from pathlib import Path

import pytest

import project.sandbox
from project.sandbox.faults import ROW_KINDS, Facts, Fault, FaultBoard, FaultKind, fault_from_json
from project.sandbox.proxies.specs import ProxyKind

pytestmark = pytest.mark.once

KLINES = Facts(
    path="/api/v3/klines",
    client="127.0.0.5",
    venue="binance",
    symbol="BTC/USDT",
    timeframe="1m",
)


@pytest.mark.parametrize(
    "aim",
    [
        {},
        {"path": "/api/v3/klines"},
        {"path": "*/klines"},
        {"venue": "binance", "client": "127.0.0.5", "timeframe": "1m"},
        {"symbol": "BTC/USDT"},
        {"symbol": "BTCUSDT"},
        {"symbol": "btc-usdt"},
    ],
)
def test_fault_matches_what_it_names(aim):
    assert Fault(FaultKind.HANG, **aim).matches(KLINES)


@pytest.mark.parametrize(
    "aim",
    [
        {"path": "/api/v5/*"},
        {"venue": "okx"},
        {"client": "127.0.0.6"},
        {"timeframe": "1h"},
        {"symbol": "ETH/USDT"},
        {"path": "*/klines", "symbol": "ETH/USDT"},
    ],
)
def test_fault_leaves_other_requests_alone(aim):
    assert not Fault(FaultKind.HANG, **aim).matches(KLINES)


def test_fault_about_rows_wants_a_page_of_candles():
    ping = Facts(path="/api/v3/ping", client="127.0.0.5", venue="binance")

    assert {kind for kind in FaultKind if not Fault(kind).matches(ping)} == ROW_KINDS


def test_board_hits_so_many_times_after_so_many_and_then_the_next_fault():
    board = FaultBoard()
    first = board.add(Fault(FaultKind.STATUS, after=1, times=2))
    second = board.add(Fault(FaultKind.HTML200, times=1))

    picked = [board.pick(KLINES) for _ in range(5)]

    kinds = [each.kind if each else None for each in picked]
    assert kinds == [FaultKind.HTML200, FaultKind.STATUS, FaultKind.STATUS, None, None]
    assert (board.hits(first), board.hits(second)) == (2, 1)


def test_board_forgets_what_is_removed():
    board = FaultBoard()
    number = board.add(Fault(FaultKind.HANG))
    board.add(Fault(FaultKind.SLOW))

    assert (board.remove(number), board.remove(number)) == (True, False)
    assert [each["kind"] for each in board.as_json()] == ["slow"]
    board.clear()
    assert board.pick(KLINES) is None


def test_fault_is_read_from_json():
    body = {"kind": "status", "status": 418, "times": 2, "client": "127.0.0.9"}

    assert fault_from_json(body) == Fault(FaultKind.STATUS, status=418, times=2, client="127.0.0.9")


@pytest.mark.parametrize("body", [[], {}, {"kind": "nonsense"}, {"kind": "hang", "tymes": 2}])
def test_fault_that_cannot_be_read_is_refused(body):
    with pytest.raises((TypeError, ValueError)):
        fault_from_json(body)


def test_readme_names_every_kind_of_fault_and_proxy():
    readme = Path(project.sandbox.__file__).with_name("README.md").read_text()

    named = set(re.findall(r"`(\w+)`", readme))
    assert {*FaultKind, *ProxyKind} - named == set()
