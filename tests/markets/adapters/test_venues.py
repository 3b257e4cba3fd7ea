"""Real wire formats, and what each failure means."""

from typing import Any

import pytest

from markets.adapters import venues, wire
from markets.adapters.wire import Access, PageAsk
from project.sandbox import Fault, FaultKind
from tests.markets import doing
from tests.markets.factories import MINUTE

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
