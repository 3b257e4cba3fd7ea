"""Real wire formats, and what each failure means."""

import gzip
import json
from pathlib import Path
from typing import Any

import ccxt
import pytest

from markets.adapters import binance, venues, wire
from markets.adapters.wire import Access, PageAsk, Used
from markets.rates import Rate
from project.sandbox import Fault, FaultKind
from tests.markets import doing
from tests.markets.factories import MINUTE

pytestmark = pytest.mark.once

DATA = Path(__file__).parents[4] / "shared" / "data"
VENUES = ["binance", "okx"]
SYMBOLS = {"binance": "BTCUSDT", "okx": "BTC-USDT"}


@pytest.fixture(params=VENUES)
def venue(request, world):
    found: Any = venues.open_venue(Access(request.param, world.exchange.url, timeout_s=1))
    found.name = request.param
    yield found
    found.close()


def ask(venue, start_ms, count, limit=100, timeframe="1m", step_ms=MINUTE):
    return PageAsk(
        "BTC/USDT",
        SYMBOLS[venue.name],
        timeframe,
        step_ms,
        start_ms,
        start_ms + count * step_ms,
        limit,
        doing.CLOCK_MS,
    )


def test_markets_and_time_are_read(venue):
    assert venue.time_ms() == doing.CLOCK_MS
    found = {info.symbol: info for info in venue.markets()}
    assert set(found) == {"BTC/USDT", "ETH/USDT", "SOL/USDT"}
    assert found["BTC/USDT"].exchange_symbol == SYMBOLS[venue.name]


@pytest.mark.parametrize("back", [10, 2000])
def test_a_window_is_half_open_and_comes_oldest_first(venue, back):
    start = doing.CLOCK_MS // MINUTE * MINUTE - back * MINUTE

    rows = venue.page(ask(venue, start, 5))

    assert [row.open_time for row in rows] == [start + n * MINUTE for n in range(5)]


def test_a_page_that_is_cut_off_keeps_its_end(venue):
    start = doing.LISTED_MS

    rows = venue.page(ask(venue, start, 500, limit=10))

    first = start + 490 * MINUTE if venues.is_newest_first(venue.name) else start
    assert [row.open_time for row in rows] == [first + n * MINUTE for n in range(10)]


def test_days_open_at_midnight_utc(venue):
    rows = venue.page(ask(venue, doing.LISTED_MS, 2, timeframe="1d", step_ms=86_400_000))

    assert [row.open_time for row in rows] == [doing.LISTED_MS, doing.LISTED_MS + 86_400_000]


@pytest.mark.parametrize(
    ("fault", "error", "retry_after_s"),
    [
        (Fault(FaultKind.STATUS, status=429, retry_after_s=3), wire.RateLimitedError, 3.0),
        (Fault(FaultKind.STATUS, status=418, retry_after_s=30), wire.BlockedError, 30.0),
        (Fault(FaultKind.STATUS, status=403), wire.BlockedError, None),
        (Fault(FaultKind.STATUS, status=451), wire.BlockedError, None),
        (Fault(FaultKind.CHALLENGE), wire.BlockedError, None),
        (Fault(FaultKind.STATUS, status=500), wire.ExchangeError, None),
        (Fault(FaultKind.STATUS, status=503), wire.ExchangeError, None),
        (Fault(FaultKind.HTML200), wire.BadAnswerError, None),
        (Fault(FaultKind.EMPTY200), wire.BadAnswerError, None),
        (Fault(FaultKind.NULL_ROWS), wire.BadAnswerError, None),
        (Fault(FaultKind.REDIRECT, location="http://127.0.0.1:1/"), wire.BadAnswerError, None),
        (Fault(FaultKind.DISCONNECT), wire.NetworkError, None),
        (Fault(FaultKind.CUT_BODY), wire.NetworkError, None),
        (Fault(FaultKind.HANG), wire.AnswerTimeoutError, None),
    ],
    ids=lambda value: f"{value.kind}{value.status}" if isinstance(value, Fault) else None,
)
def test_each_failure_has_its_meaning(venue, world, fault, error, retry_after_s):
    world.exchange.faults.add(fault)

    with pytest.raises(error) as caught:
        venue.page(ask(venue, doing.LISTED_MS, 5))

    assert type(caught.value) is error
    told = caught.value.retry_after_s
    assert told == retry_after_s or abs(told - retry_after_s) < 2


def test_an_unknown_symbol_is_refused_for_good(venue):
    wrong = PageAsk("NO/NE", "NONE", "1m", MINUTE, 0, MINUTE, 10, doing.CLOCK_MS)

    with pytest.raises(wire.UnknownSymbolError):
        venue.page(wrong)


def test_an_unknown_exchange_is_refused():
    with pytest.raises(wire.UnknownExchangeError, match="atlantis"):
        venues.open_venue(Access("atlantis"))


def test_any_other_exchange_is_asked_by_unified_calls(monkeypatch):
    found: Any = venues.open_venue(Access("kraken"))
    calls = []

    def fetch_ohlcv(symbol, timeframe, since, limit, params):
        calls.append((symbol, timeframe, since, limit, params))
        return [[since, 1, 2, 0.5, 1.5, 10], [since + 2 * MINUTE, 1, 2, 0.5, 1.5, 10]]

    monkeypatch.setattr(found._exchange, "fetch_ohlcv", fetch_ohlcv)

    rows = found.page(PageAsk("BTC/USD", "XBTUSD", "1m", MINUTE, 0, 2 * MINUTE, 10, 0))

    assert [row.open_time for row in rows] == [0]
    assert calls == [("BTC/USD", "1m", 0, 10, {"until": 2 * MINUTE - 1})]


@pytest.mark.parametrize(("name", "host"), [("binance", "api.binance.com"), ("okx", "www.okx.com")])
def test_hosts_are_the_exchanges_own(name, host):
    assert venues.host_of(name) == host
    assert venues.is_known(name)
    assert venues.title_of(name).lower() == name


def test_limits_come_with_the_list_of_markets(venue):
    assert venue.rates() == ()

    venue.markets()

    told = {"binance": (Rate(6000, 60, by_weight=True),), "okx": ()}
    assert venue.rates() == told[venue.name]


def test_every_request_takes_its_turn_with_its_weight(world):
    weighed = {}
    for name in VENUES:
        turns: list[float] = []
        found: Any = venues.open_venue(Access(name, world.exchange.url, timeout_s=1), turns.append)
        found.name = name
        found.time_ms()
        found.markets()
        found.page(ask(found, doing.CLOCK_MS - 5 * MINUTE, 5))
        found.page(ask(found, doing.LISTED_MS, 5))
        found.trades(ask(found, doing.LISTED_MS, 1))
        found.close()
        weighed[name] = turns

    assert weighed == {"binance": [1, 20, 2, 2, 2], "okx": [2, 1, 0.5, 1]}
    assert venues.page_weight("binance") == 2
    assert venues.page_weight("okx") == 0.5


def test_the_weight_that_an_answer_told_is_read_and_that_of_an_older_one_forgotten(world):
    found: Any = venues.open_venue(
        Access("binance", world.exchange.url, timeout_s=1), lambda _: None
    )
    found.markets()
    found.time_ms()

    assert found.used() == [Used(21, 60.0)]
    world.exchange.faults.add(Fault(FaultKind.DISCONNECT))
    with pytest.raises(wire.NetworkError):
        found.time_ms()
    assert found.used() == []
    found.close()


@pytest.mark.parametrize(
    ("exchange", "rates"),
    [
        ("binance", (Rate(6000, 60, by_weight=True),)),
        ("okx", (Rate(1, 0.11, by_weight=True),)),
        ("kraken", (Rate(10, 10, by_weight=True),)),
        ("atlantis", ()),
    ],
)
def test_an_exchange_that_does_not_tell_is_held_to_what_ccxt_knows(exchange, rates):
    assert venues.usual_rates(exchange) == rates


def test_limits_of_every_exchange_are_usable():
    found = {name: venues.usual_rates(name) for name in ccxt.exchanges}

    assert all(rate.unit_us > 0 for rates in found.values() for rate in rates)
    assert sum(map(bool, found.values())) == len(found)


@pytest.mark.parametrize(
    ("told", "rates"),
    [
        (None, ()),
        ([], ()),
        ({"rateLimits": "none"}, ()),
        ({"rateLimits": [None, {"rateLimitType": "REQUEST_WEIGHT"}]}, ()),
        (
            {
                "rateLimits": [
                    {"rateLimitType": kind, "interval": unit, "intervalNum": count, "limit": limit}
                    for kind, unit, count, limit in (
                        ("REQUEST_WEIGHT", "MINUTE", 1, 1200),
                        ("ORDERS", "SECOND", 10, 50),
                        ("RAW_REQUESTS", "MINUTE", 5, 6100),
                        ("REQUEST_WEIGHT", "FORTNIGHT", 1, 9),
                        ("REQUEST_WEIGHT", "DAY", 1, 0),
                        ("REQUEST_WEIGHT", "DAY", "1", 10),
                        ("CONNECTIONS", "MINUTE", 5, 300),
                    )
                ]
            },
            (Rate(1200, 60, by_weight=True), Rate(6100, 300)),
        ),
    ],
    ids=["nothing", "a list", "text", "no numbers", "of 2021, and odd ones"],
)
def test_limits_that_are_understood_are_taken(told, rates):
    assert binance.rates_of(told) == rates


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")
def test_limits_of_a_real_answer():
    packed = DATA / "exchanges/binance_exchangeInfo_2021-10-12_full.json.gz"

    told = json.loads(gzip.decompress(packed.read_bytes()))

    assert binance.rates_of(told) == (Rate(1200, 60, by_weight=True), Rate(6100, 300))
