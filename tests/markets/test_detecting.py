"""Which candles are odd though they may be true."""

import csv
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets import detecting, timeframes
from markets.choices import FindingKind
from markets.detecting import Limits
from markets.rows import Row
from tests.markets.factories import MINUTE, START_MS

pytestmark = pytest.mark.once

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "candles"
USUAL = detecting.USUAL


def walk(count, *, seed=1, price=100.0, step=0.001):
    """Return candles of a market that goes about ``step`` up or down a minute."""
    chance, rows, last = random.Random(seed), [], price
    for number in range(count):
        closed = last * (1 + chance.uniform(-step, step))
        high, low = max(last, closed) * 1.0002, min(last, closed) * 0.9998
        volume = chance.uniform(5, 15)
        rows.append(Row(START_MS + number * MINUTE, last, high, low, closed, volume))
        last = closed
    return rows


def kinds(rows, *, before=(), limits=USUAL):
    found = detecting.odd(rows, before=before, step_ms=MINUTE, limits=limits)
    return [(one.kind.value, (one.start_ms - START_MS) // MINUTE) for one in found]


def spiked(rows, number, times):
    row = rows[number]
    high, low = max(row.high, row.close * times), min(row.low, row.close * times)
    changed = row._replace(high=high, low=low, close=row.close * times)
    return [*rows[:number], changed, *rows[number + 1 :]]


def test_an_ordinary_market_has_nothing_odd():
    assert kinds(walk(1500)) == []


@pytest.mark.parametrize("times", [1.2, 0.8, 10.0])
def test_a_spike_is_one_jump_and_the_way_back_is_none(times):
    assert kinds(spiked(walk(300), 200, times)) == [("price_jump", 200)]


def test_a_price_that_stays_elsewhere_is_one_jump():
    rows = walk(300)
    moved = [
        row._replace(**{n: getattr(row, n) * 2 for n in ("open", "high", "low", "close")})
        for row in rows[200:]
    ]

    assert kinds([*rows[:200], *moved]) == [("price_jump", 200)]


def test_a_long_wick_is_a_jump():
    rows = walk(300)
    rows[200] = rows[200]._replace(low=rows[200].low * 0.7)

    assert kinds(rows) == [("price_jump", 200)]


def test_what_is_usual_is_the_series_own_recent_past():
    wild = walk(300, step=0.03)
    calm = walk(300, step=0.001)
    move = 1.08

    assert kinds(spiked(calm, 200, move)) == [("price_jump", 200)]
    assert kinds(spiked(wild, 200, move)) == []
    assert kinds(spiked(calm, 200, move), limits=Limits(jump_times=500)) == []


def test_small_pages_are_judged_by_what_is_stored_before():
    rows = spiked(walk(300), 298, 1.3)

    assert kinds(rows[297:], before=[row[:6] for row in rows[57:297]]) == [("price_jump", 298)]
    assert kinds(rows[297:]) == []  # without a past nothing is called odd


def test_a_move_over_a_gap_may_be_longer():
    rows = walk(300)
    later = [
        row._replace(open_time=row.open_time + 900 * MINUTE)
        for row in spiked(rows, 200, 1.05)[200:201]
    ]

    assert kinds([*rows[:200], *rows[200:201]]) == []
    assert kinds([*rows[:200], *later]) == []
    assert kinds(spiked(rows, 200, 1.05)) == [("price_jump", 200)]


def test_a_volume_far_above_the_usual_one_is_odd_and_a_move_without_any_is():
    rows = walk(300)
    rows[150] = rows[150]._replace(volume=5_000.0)
    rows[250] = rows[250]._replace(volume=0.0)

    assert kinds(rows) == [("volume_anomaly", 150), ("volume_anomaly", 250)]


def flat(count, volume, start=100):
    rows = walk(start + count + 10)
    price = rows[start - 1].close
    still = [
        Row(row.open_time, price, price, price, price, volume)
        for row in rows[start : start + count]
    ]
    return [*rows[:start], *still, *walk(10, price=price)[:0], *rows[start + count :]]


@pytest.mark.parametrize(("count", "found"), [(29, 0), (30, 1), (80, 1)])
def test_a_run_at_one_price_is_a_flat_line(count, found):
    seen = detecting.odd(flat(count, 3.0), before=[], step_ms=MINUTE, limits=USUAL)
    lines = [one for one in seen if one.kind == FindingKind.FLAT_LINE]

    assert len(lines) == found
    assert [(one.start_ms, one.count) for one in lines] == [
        (START_MS + 100 * MINUTE, count)
    ] * found


def frozen(count, *, start=100):
    """Return candles of a feed that tells one candle again and again."""
    rows = walk(start + count + 10)
    last = rows[start - 1]
    still = [last._replace(open_time=row.open_time) for row in rows[start : start + count]]
    return [*rows[:start], *still, *rows[start + count :]]


@pytest.mark.parametrize(("repeats", "found"), [(8, []), (9, [(99, 10)]), (400, [(99, 401)])])
def test_a_feed_that_repeats_its_last_candle_is_stalled(repeats, found):
    seen = detecting.odd(frozen(repeats), before=[], step_ms=MINUTE, limits=USUAL)
    runs = [one for one in seen if one.kind == FindingKind.STALLED]

    assert [((one.start_ms - START_MS) // MINUTE, one.count) for one in runs] == found


def test_a_market_without_trades_is_no_stalled_feed_and_one_with_a_frozen_price_is():
    assert "stalled" not in {kind for kind, _ in kinds(flat(60, 0.0))}
    assert ("stalled", 100) in kinds(flat(60, 3.0))


def test_a_sparse_exchange_may_stand_still_without_volume():
    still = flat(60, 0.0)

    assert ("flat_line", 100) in kinds(still)
    assert ("flat_line", 100) not in kinds(still, limits=Limits(is_sparse=True))
    assert ("flat_line", 100) in kinds(flat(60, 3.0), limits=Limits(is_sparse=True))


def test_a_flat_line_that_began_before_the_page_is_told_from_its_start():
    rows = flat(60, 3.0)

    found = detecting.odd(rows[158:], before=rows[:158], step_ms=MINUTE, limits=USUAL)

    assert next((one.start_ms, one.count) for one in found) == (START_MS + 100 * MINUTE, 60)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 5),
            st.sampled_from([0.0, -1.0, 1e-300, 1.0, 100.0, 1e300, float("nan"), float("inf")]),
            st.sampled_from([0.0, -1.0, 1e300, 7.0, float("nan")]),
        ),
        max_size=60,
    )
)
def test_nothing_that_may_be_stored_breaks_it(parts):
    rows, at = [], START_MS
    for steps, price, volume in parts:
        at += steps * MINUTE
        rows.append(Row(at, price, price, price, price, volume))

    for one in detecting.odd(rows, before=[], step_ms=MINUTE, limits=USUAL):
        assert one.end_ms > one.start_ms
        assert one.count >= 1


def _row(line):
    opened, high, low, closed, volume = map(float, line[1:6])
    return Row(int(line[0]), opened, high, low, closed, volume)


@pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the real candle files are not at {FOLDER}: not shipped"
)
def test_real_files_have_few_odd_candles_and_the_pump_of_2018_is_one():
    jumps, candles = 0, 0
    for path in sorted(FOLDER.glob("*.csv")):
        with path.open() as lines:
            rows = [_row(line) for line in list(csv.reader(lines))[1:]]
        step_ms = timeframes.of(path.stem.rpartition("-")[2]).step_ms
        found = detecting.odd(rows, before=[], step_ms=step_ms, limits=USUAL)
        jumps += len(found)
        candles += len(rows)
        if path.stem == "octobot_binance_BTC_USDT-1h":
            assert [(one.kind.value, one.start_ms) for one in found] == [
                ("price_jump", 1_523_530_800_000)  # 2018-04-12 11:00, up by 1,000 dollars
            ]

    assert jumps / candles < 0.001
