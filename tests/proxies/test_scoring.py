from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxies import scoring
from proxies.choices import Pool
from proxies.scoring import Bounds, Evidence
from tests.proxies.factories import NOW

pytestmark = pytest.mark.once

BOUNDS: dict[str, Bounds] = {
    Pool.HOT: Bounds(80, 70),
    Pool.WARM: Bounds(50, 40),
    Pool.COLD: Bounds(0, 0),
}
#: Minutes and whether the check was good, of a proxy that comes, fails for a while and returns.
SERIES = [(0, 1), (5, 1), (10, 1), (15, 0), (20, 1), (25, 0), (30, 0), (35, 0), (40, 1), (45, 1)]


def after(series):
    known, pool, found = Evidence(), "", []
    for minutes, value in series:
        at = NOW + timedelta(minutes=minutes)
        known = scoring.add(known, value=value, weight=1.0, at=at)
        score = scoring.score_of(known, at=at)
        pool = scoring.pool_of(score, current=pool, bounds=BOUNDS)
        found.append((round(score), str(pool)))
    return found


def test_a_recorded_series_gives_its_scores_and_pools():
    assert after(SERIES) == [
        (75, "warm"),
        (83, "hot"),
        (87, "hot"),
        (68, "warm"),
        (74, "warm"),
        (62, "warm"),
        (53, "warm"),
        (46, "warm"),
        (52, "warm"),
        (58, "warm"),
    ]


def test_without_news_a_score_drifts_to_the_middle():
    known = scoring.add(Evidence(), value=1, weight=5, at=NOW)

    assert round(scoring.score_of(known, at=NOW)) == 92
    assert round(scoring.score_of(known, at=NOW + timedelta(days=2))) == 50


def test_a_slow_answer_is_worth_less():
    assert scoring.value_of_latency(200) == 1
    assert scoring.value_of_latency(5500) == pytest.approx(0.8)
    assert scoring.value_of_latency(60_000) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("score", "current", "pool"),
    [
        (80, "", "hot"),
        (79, "", "warm"),
        (79, "hot", "hot"),
        (69, "hot", "warm"),
        (45, "", "cold"),
        (45, "warm", "warm"),
        (45, "hot", "warm"),
        (39, "warm", "cold"),
    ],
)
def test_pools_are_left_below_where_they_are_entered(score, current, pool):
    assert scoring.pool_of(score, current=current, bounds=BOUNDS) == pool


PIECES = st.lists(
    st.tuples(st.integers(0, 100_000), st.floats(0, 1), st.floats(0.01, 2)), max_size=12
)


@given(PIECES)
def test_the_order_of_evidence_does_not_matter(pieces):
    def gathered(ordered):
        known = Evidence()
        for seconds, value, weight in ordered:
            at = NOW + timedelta(seconds=seconds)
            known = scoring.add(known, value=value, weight=weight, at=at)
        return scoring.score_of(known, at=NOW + timedelta(seconds=100_000))

    assert gathered(pieces) == pytest.approx(gathered(sorted(pieces)))


@given(PIECES)
def test_a_score_is_a_percentage_and_good_news_never_lowers_it(pieces):
    known = Evidence()
    for seconds, value, weight in sorted(pieces):
        at = NOW + timedelta(seconds=seconds)
        known = scoring.add(known, value=value, weight=weight, at=at)
        assert 0 <= known.good <= known.total
    at = NOW + timedelta(seconds=100_000)
    better = scoring.add(known, value=1, weight=1, at=at)

    assert 0 <= scoring.score_of(known, at=at) <= scoring.score_of(better, at=at) <= 100


def changes_of_pool(scores):
    pools = [""]
    for score in scores:
        pools.append(scoring.pool_of(score, current=pools[-1], bounds=BOUNDS))
    return sum(now != before for before, now in pairwise(pools[1:]))


def test_a_score_that_swings_between_the_bounds_moves_nobody():
    swinging = [81, 71, 79, 72, 78, 70, 79] * 10

    assert changes_of_pool(swinging) == 0
    assert changes_of_pool([81, 69, 81, 69]) == 3


@given(st.lists(st.floats(70, 79.9), max_size=50), st.lists(st.floats(40, 49.9), max_size=50))
def test_within_the_bounds_nobody_moves_whatever_the_order(upper, lower):
    assert changes_of_pool([85, *upper]) == 0
    assert changes_of_pool([55, *lower]) == 0
    assert changes_of_pool([60, *upper]) == 0


def test_a_proxy_that_fails_each_fourth_check_settles():
    """A check each five minutes for a day: it finds its pool and stays there."""
    known, pool, pools = Evidence(), "", []
    for number in range(288):
        at = NOW + timedelta(minutes=5 * number)
        known = scoring.add(known, value=float(number % 4 != 3), weight=1, at=at)
        pool = scoring.pool_of(scoring.score_of(known, at=at), current=pool, bounds=BOUNDS)
        pools.append(str(pool))

    settled = pools[24:]
    assert set(settled) == {"warm"}
