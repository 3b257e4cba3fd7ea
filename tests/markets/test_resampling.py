"""Candles made of finer ones: anchors, holes, finality; nothing made up."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markets import resampling, storing, timeframes
from markets.choices import Source
from markets.resampling import Made, Resampler
from markets.rows import Row
from tests.markets.factories import MINUTE, NOW, START_MS, make_candles, make_row, make_series

pytestmark = pytest.mark.django_db
DAY = 86_400_000
HOUR = 3_600_000


def ms(year, month, day):
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


def made(series, timeframe, *, start_ms=0, end_ms=None, count=1_000):
    """Read all, however many steps that takes."""
    resampler, found, at = Resampler(series, timeframes.of(timeframe)), [], start_ms
    while at is not None:
        part, at = resampler.read(at, end_ms, count)
        found += part
    return found


def by_hand(rows, grid, parts, end_ms):
    """What the rows add up to, the plain way."""
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(grid.floor(row.open_time), []).append(row)
    found = []
    for opened, group in sorted(groups.items()):
        closes = grid.after(opened)
        found.append(
            Made(
                opened,
                group[0].open,
                max(row.high for row in group),
                min(row.low for row in group),
                group[-1].close,
                sum(row.volume for row in group),
                closes <= end_ms and all(row.final for row in group),
                parts.count(opened, min(closes, end_ms)) - len(group),
            )
        )
    return found


def test_a_candle_is_made_of_its_parts():
    series = make_series()
    make_candles(series, 10, without=(6,))

    assert made(series, "5m") == [
        Made(START_MS, 100.0, 105.0, 99.0, 104.5, 50.0, final=True, missing=0),
        Made(START_MS + 5 * MINUTE, 105.0, 106.0, 99.0, 102.5, 40.0, final=True, missing=1),
    ]


def test_the_last_candle_is_not_final_before_its_end_is_stored():
    series = make_series()
    make_candles(series, 7)

    *_, last = made(series, "5m")

    assert (last.open_time, last.final, last.missing) == (START_MS + 5 * MINUTE, False, 0)


def test_a_provisional_part_makes_a_provisional_candle():
    series = make_series()
    rows = [make_row(START_MS + n * MINUTE, final=n != 4) for n in range(5)]
    storing.upsert_candles(series_id=series.pk, rows=rows, source=Source.COLLECT, now=NOW)

    assert [one.final for one in made(series, "5m")] == [False]


def test_where_nothing_is_stored_nothing_is_made():
    series = make_series()
    make_candles(series, 5)
    make_candles(series, 5, start_ms=START_MS + 40 * DAY)

    assert [one.open_time for one in made(series, "5m")] == [START_MS, START_MS + 40 * DAY]
    assert made(series, "5m", start_ms=START_MS + DAY, end_ms=START_MS + 2 * DAY) == []
    assert made(make_series(), "5m") == []


@pytest.mark.parametrize(
    ("timeframe", "opens"),
    [
        ("1w", [ms(2025, 12, 29), ms(2026, 1, 5), ms(2026, 1, 12)]),
        ("1M", [ms(2026, 1, 1)]),
        ("3d", [ms(2026, 1, day) for day in (1, 4, 7, 10, 13)]),
        ("1d", [ms(2026, 1, day) for day in range(3, 15)]),
    ],
)
def test_anchors_are_those_of_exchanges(timeframe, opens):
    series = make_series(timeframe="4h")
    make_candles(series, 12 * 6, start_ms=ms(2026, 1, 3), step_ms=4 * HOUR)

    found = made(series, timeframe)

    assert [one.open_time for one in found] == opens
    grid, parts = timeframes.of(timeframe), timeframes.of("4h")
    first = parts.count(opens[0], ms(2026, 1, 3))
    assert found[0].missing == first  # before the first stored candle
    assert sum(one.volume for one in found) == 720.0
    assert [one.final for one in found] == [grid.after(at) <= ms(2026, 1, 15) for at in opens]


def test_months_of_any_length_are_added_up():
    series = make_series(timeframe="1d")
    make_candles(series, 425, start_ms=ms(2024, 1, 1), step_ms=DAY)

    found = made(series, "1M", count=2)

    assert [one.volume / 10 for one in found[:4]] == [31, 29, 31, 30]
    assert (found[-1].open_time, found[-1].final) == (ms(2025, 2, 1), True)
    assert len(found) == 14


@given(
    numbers=st.sets(st.integers(0, 400), min_size=1, max_size=60),
    timeframe=st.sampled_from(["3m", "5m", "1h", "1d", "1w", "1M"]),
    count=st.integers(1, 9),
    parts=st.sampled_from([1, 7, 20_000]),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_all_equals_adding_up_by_hand(numbers, timeframe, count, parts):
    series = make_series()
    rows = [make_row(START_MS + n * 11 * MINUTE, 100.0 + n % 13) for n in sorted(numbers)]
    storing.upsert_candles(series_id=series.pk, rows=rows, source=Source.IMPORT, now=NOW)
    grid = timeframes.of(timeframe)
    end_ms = rows[-1].open_time + MINUTE
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "PARTS", parts)

        found = made(series, timeframe, count=count)
        resampler = Resampler(series, grid)
        last = resampler.before(None, 3)

    expected = by_hand(rows, grid, timeframes.of("1m"), end_ms)
    assert found == expected
    assert last == expected[-3:][0].open_time


@pytest.mark.parametrize(
    ("kept", "wanted", "source"),
    [
        (["1m", "1h"], "1d", "1m"),
        (["1h", "4h"], "1d", "1h"),
        (["3m"], "5m", None),
        (["1w"], "1M", None),
        (["3d"], "1w", None),
        (["3d"], "1M", None),
        (["1d"], "1w", "1d"),
        (["1h"], "1m", None),
        (["1M"], "1w", None),
    ],
)
def test_the_source_is_the_finest_that_divides(kept, wanted, source):
    first = make_series("BTC/USDT", kept[0])
    for name in kept:
        step = timeframes.of(name).step_ms
        one = make_series("BTC/USDT", name)
        make_candles(one, 1, start_ms=timeframes.of(name).floor(START_MS), step_ms=step)

    found = resampling.source_of(first.market, wanted)

    assert (found.timeframe if found else None) == source


def test_an_empty_series_is_no_source():
    fine = make_series("BTC/USDT", "1m")
    make_candles(make_series("BTC/USDT", "5m"), 3, step_ms=5 * MINUTE)

    found = resampling.source_of(fine.market, "1h")

    assert found is not None
    assert found.timeframe == "5m"
