from decimal import Decimal
from itertools import islice, pairwise

import pytest

from project.sandbox.exchange.candles import Candle
from project.sandbox.exchange.generating import LISTED_MS, GeneratedBook
from project.sandbox.exchange.timeframes import DAY_MS, HOUR_MS, MINUTE_MS, TIMEFRAMES

pytestmark = pytest.mark.once

START_MS = LISTED_MS + 400 * DAY_MS


def forward(name: str, count: int, *, start_ms: int = START_MS, seed: int = 1) -> list[Candle]:
    book = GeneratedBook("BTC/USDT", seed=seed)
    return list(islice(book.forward(TIMEFRAMES[name], start_ms), count))


def joined(candles: list[Candle]) -> tuple[object, ...]:
    return (
        candles[0].open_ms,
        candles[0].open,
        max((each.high for each in candles), key=Decimal),
        min((each.low for each in candles), key=Decimal),
        candles[-1].close,
        sum(Decimal(each.volume) for each in candles),
        sum(Decimal(each.quote_volume) for each in candles),
        sum(each.trades for each in candles),
    )


def test_generated_candles_are_the_same_at_every_look_and_from_every_start():
    whole = forward("1m", 300)

    assert forward("1m", 300) == whole
    assert forward("1m", 100, start_ms=START_MS + 200 * MINUTE_MS) == whole[200:]
    assert forward("1m", 300, seed=2) != whole


@pytest.mark.parametrize(
    ("small", "large", "parts"),
    [("1m", "5m", 5), ("1m", "1h", 60), ("15m", "4h", 16), ("1m", "1d", 1440), ("1d", "1w", 7)],
)
def test_generated_timeframes_are_the_exact_sum_of_smaller_ones(small, large, parts):
    monday_ms = TIMEFRAMES["1w"].at_or_after(START_MS)

    wholes = forward(large, 2, start_ms=monday_ms)
    pieces = forward(small, 2 * parts, start_ms=monday_ms)

    assert [joined([each]) for each in wholes] == [joined(pieces[:parts]), joined(pieces[parts:])]


def test_generated_candles_are_believable():
    candles = forward("1m", 1440)

    for each in candles:
        low, high = Decimal(each.low), Decimal(each.high)
        assert 0 < low <= min(Decimal(each.open), Decimal(each.close))
        assert high >= max(Decimal(each.open), Decimal(each.close))
        assert Decimal(each.volume) > 0
    assert all(before.close == after.open for before, after in pairwise(candles))
    assert len({each.close for each in candles}) > 100


def test_generated_backward_is_forward_reversed_down_to_the_listing():
    book = GeneratedBook("BTC/USDT", listed_ms=START_MS)
    end_ms = START_MS + 3 * HOUR_MS

    backwards = list(book.backward(TIMEFRAMES["1h"], end_ms))

    assert backwards == list(islice(book.forward(TIMEFRAMES["1h"], 0), 3))[::-1]
    assert backwards[-1].open_ms == book.listed_ms == START_MS


def test_generated_unfinished_candle_grows_into_the_final_one():
    book = GeneratedBook("BTC/USDT")
    hour = next(book.forward(TIMEFRAMES["1h"], START_MS))

    looks = [
        book.unfinished(TIMEFRAMES["1h"], hour, START_MS + passed_ms)
        for passed_ms in (0, 30_000, 10 * MINUTE_MS + 1, HOUR_MS - 1)
    ]

    assert [each.final for each in looks] == [False] * 4
    assert [looks[0].high, looks[0].low, looks[0].close] == [hour.open] * 3
    volumes = [Decimal(each.volume) for each in looks]
    assert volumes == sorted(set(volumes))
    assert volumes[-1] <= Decimal(hour.volume)
    assert (looks[-1].high, looks[-1].low) == (hour.high, hour.low)
