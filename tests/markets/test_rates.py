"""No window sees more than is allowed, whatever the requests weigh and whenever they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets import rates as pace
from markets.rates import Rate


def leaving_us(rates, asked):
    """Return when requests leave that are wanted ``asked`` = [(pause in µs, weight)] one by one."""
    found, now_us, busy_us = [], 0, 0
    for pause_us, weight in asked:
        now_us += pause_us
        taken_us = pace.taken_us(rates, weight)
        lead_us = max(pace.lead_us(rates), taken_us)
        busy_us = max(busy_us, now_us) + taken_us
        found.append((max(now_us, busy_us - lead_us), weight))
    return found


def most_in_a_window(left, per_s, *, by_weight):
    """Return the most units that leave within ``per_s`` seconds."""
    return max(
        sum(
            weight if by_weight else 1
            for at_us, weight in left[number:]
            if at_us < first_us + per_s * 1e6
        )
        for number, (first_us, _) in enumerate(left)
    )


asks = st.lists(
    st.tuples(st.integers(0, 3_000_000), st.sampled_from([1, 2, 4, 20])), min_size=1, max_size=120
)


@given(asks=asks, units=st.integers(400, 8000), per_s=st.sampled_from([1, 10, 60]))
def test_no_window_holds_more_weight_than_the_limit(asks, units, per_s):
    rates = (Rate(units, per_s, by_weight=True), Rate(units // 4, per_s))

    left = leaving_us(rates, asks)

    assert most_in_a_window(left, per_s, by_weight=True) <= units
    assert most_in_a_window(left, per_s, by_weight=False) <= units // 4


@given(units=st.integers(1, 5000), per_s=st.floats(0.5, 3600))
def test_no_window_holds_more_requests_than_the_rate_allows(units, per_s):
    rate = Rate(units, per_s)

    # the most that can leave within one window: a rested burst, then the steady stream
    in_window = rate.burst + int(per_s * 1e6 - 1) // rate.unit_us

    assert in_window <= units


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (Rate(6000, 60, by_weight=True), "6,000 weight in 60 s"),
        (Rate(1, 0.11, by_weight=True), "9.1 weight a second"),
        (Rate(61_000, 300), "61,000 requests in 300 s"),
    ],
)
def test_a_rate_is_shown_in_words(rate, shown):
    assert str(rate) == shown
