import itertools

import pytest

from project.core import charting

KEPT_S = {"minute": 2 * 86_400, "ten minutes": 21 * 86_400, "hour": 366 * 86_400}


@pytest.mark.parametrize(
    ("minutes", "grain"),
    [
        *[(60, "minute"), (2_880, "minute"), (2_881, "ten minutes"), (30_240, "ten minutes")],
        *[(129_600, "hour"), (10**9, "hour")],
    ],
)
def test_the_finest_grain_that_reaches_back(minutes, grain):
    assert charting.grain_for(minutes, kept_s=KEPT_S) == grain


@pytest.mark.parametrize("count", [0, 1, 1_499, 1_500, 4_000])
def test_so_many_points_are_drawn_and_the_latest_always(count):
    found = charting.drawn(reversed(range(count)))

    assert found == sorted(found)
    assert len(found) <= charting.MOST_POINTS
    assert found[-1:] == list(range(count))[-1:]
    assert len({later - earlier for earlier, later in itertools.pairwise(found)}) <= 1
