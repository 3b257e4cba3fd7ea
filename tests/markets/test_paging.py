"""Our own pager: every candle once, whatever the exchange's page size and order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markets import paging, timeframes
from markets.adapters.wire import PageAsk
from markets.choices import Policy
from markets.models import Market, Series
from markets.paging import Pager
from tests.markets.factories import MINUTE, START_MS, make_row

pytestmark = pytest.mark.django_db
GRID = timeframes.of("1m")


class Means:
    exchange = "binance"
    request_limit = 7
    policy = Policy.SKIP


class Venue:
    """An exchange that has the candles ``numbers``; ``page`` has the real one's signature."""

    def __init__(self, numbers, *, newest_first=False):
        self.rows = [make_row(START_MS + number * MINUTE) for number in sorted(numbers)]
        self.newest_first = newest_first
        self.asked = []

    def page(self, ask: PageAsk):
        self.asked.append(ask)
        found = [row for row in self.rows if ask.start_ms <= row.open_time < ask.end_ms]
        return found[-ask.limit :] if self.newest_first else found[: ask.limit]


class Line:
    means = Means()
    egress = "direct"

    def __init__(self, venue, now_ms=START_MS + 10**12):
        self.venue = venue
        self._now_ms = now_ms

    def now_ms(self):
        return self._now_ms

    def ask(self, call):
        return call(self.venue)


def pager(venue: Any, monkeypatch: Any, **extra: Any) -> Pager:
    monkeypatch.setattr("markets.adapters.venues.is_newest_first", lambda _: venue.newest_first)
    monkeypatch.setattr(Pager, "_stored", lambda _self, _rows: {})
    series = Series(market=Market(symbol="BTC/USDT", exchange_symbol="BTCUSDT"), timeframe="1m")
    line: Any = Line(venue, **extra)
    return Pager(line, series, GRID)


@given(
    numbers=st.sets(st.integers(0, 400), max_size=80),
    newest_first=st.booleans(),
    start=st.integers(0, 100),
    length=st.integers(0, 320),
)
@settings(max_examples=150, deadline=None)
def test_walk_yields_every_candle_of_the_range_once_in_order(numbers, newest_first, start, length):
    with pytest.MonkeyPatch.context() as patch:
        venue = Venue(numbers, newest_first=newest_first)
        low, high = START_MS + start * MINUTE, START_MS + (start + length) * MINUTE

        pages = list(pager(venue, patch).walk(low, high))

    found = [row.open_time for page in pages for row in page.rows]
    assert found == [START_MS + n * MINUTE for n in sorted(numbers) if start <= n < start + length]
    edges = [(page.asked.start_ms, page.asked.end_ms) for page in pages]
    assert [a for a, _ in edges] == ([low, *[b for _, b in edges[:-1]]] if edges else [])
    assert not edges or edges[-1][1] == high
    assert all(low <= ask.start_ms < ask.end_ms <= high for ask in venue.asked)


@pytest.mark.parametrize("newest_first", [False, True])
def test_long_emptiness_is_jumped_over(monkeypatch, newest_first):
    venue = Venue(range(100_000, 100_010), newest_first=newest_first)

    pages = list(pager(venue, monkeypatch).walk(START_MS, START_MS + 100_020 * MINUTE))

    assert sum(len(page.rows) for page in pages) == 10
    assert len(venue.asked) < 40


@pytest.mark.parametrize(
    ("since_close_ms", "told", "is_final"),
    [
        (0, True, False),
        (paging.GRACE_MS - 1, True, False),
        (paging.GRACE_MS, True, True),
        (paging.GRACE_MS, False, False),
    ],
)
def test_a_candle_is_final_a_grace_after_its_close_unless_the_exchange_says_no(
    monkeypatch, since_close_ms, told, is_final
):
    venue = Venue([0])
    venue.rows = [venue.rows[0]._replace(final=told)]
    found = pager(venue, monkeypatch, now_ms=START_MS + MINUTE + since_close_ms)

    page = found.page(START_MS, START_MS + MINUTE)

    assert [row.final for row in page.rows] == [is_final]
