"""The grids of candles."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets import timeframes

moments = st.integers(0, 4_102_444_800_000)
grids = st.sampled_from(sorted(timeframes.KNOWN))


def ms(year, month, day, hour=0, minute=0):
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


@given(name=grids, moment=moments)
def test_a_moment_lies_in_the_candle_that_floor_names(name, moment):
    grid = timeframes.of(name)

    opened = grid.floor(moment)

    assert opened <= moment < grid.after(opened)
    assert grid.has(opened)
    assert grid.floor(opened) == opened
    assert grid.ceil(moment) in {opened, grid.after(opened)}
    assert grid.ceil(moment) >= moment


@given(name=grids, moment=moments, steps=st.integers(0, 500))
def test_steps_are_counted_as_they_are_made(name, moment, steps):
    grid = timeframes.of(name)
    opened = grid.floor(moment)

    assert grid.count(opened, grid.after(opened, steps)) == steps
    assert grid.after(grid.after(opened, steps), -steps) == opened


@given(name=grids, moment=moments, steps=st.integers(0, 300), limit=st.integers(1, 50))
def test_windows_make_up_the_range_without_a_hole_or_an_overlap(name, moment, steps, limit):
    grid = timeframes.of(name)
    start = grid.floor(moment)
    end = grid.after(start, steps)

    found = list(grid.windows(start, end, limit=limit))

    assert [low for low, _ in found] == [start, *[high for _, high in found[:-1]]][: len(found)]
    assert (found[-1][1] if found else start) == end
    assert all(0 < grid.count(low, high) <= limit for low, high in found)


@pytest.mark.parametrize(
    ("name", "moment", "opened"),
    [
        ("1w", ms(2026, 1, 11, 23), ms(2026, 1, 5)),
        ("1w", ms(1970, 1, 1), ms(1969, 12, 29)),
        ("1M", ms(2024, 2, 29, 12), ms(2024, 2, 1)),
        ("4h", ms(2026, 1, 5, 7, 59), ms(2026, 1, 5, 4)),
        ("1d", ms(2026, 1, 5, 23), ms(2026, 1, 5)),
    ],
)
def test_weeks_open_on_mondays_and_months_on_their_first(name, moment, opened):
    assert timeframes.of(name).floor(moment) == opened


def test_an_unknown_timeframe_is_named():
    with pytest.raises(timeframes.UnknownTimeframeError, match="'7m'; there are 1s, 1m"):
        timeframes.of("7m")
