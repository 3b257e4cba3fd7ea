"""The score."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets import scoring

pytestmark = pytest.mark.once

counts = st.dictionaries(st.sampled_from([*scoring.WEIGHTS, "unheard_of"]), st.integers(0, 5000))


@given(counts=counts, expected=st.integers(0, 3000), kind=st.sampled_from([*scoring.WEIGHTS]))
def test_score_is_a_percentage_and_never_rises_with_a_fault(counts, expected, kind):
    before = scoring.calculate_quality_score(counts, expected=expected)

    worse = {**counts, kind: counts.get(kind, 0) + 1}

    assert 0 <= scoring.calculate_quality_score(worse, expected=expected) <= before <= 100


@pytest.mark.parametrize(
    ("counts", "score"),
    [
        ({}, 100.0),
        ({"missing": 144}, 90.0),
        ({"missing": 1440}, 0.0),
        ({"duplicate": 1440}, 80.0),
        ({"missing": 720, "bad_ohlc": 720}, 30.0),
        ({"stalled": 1440}, 50.0),  # a feed that repeats itself is no good one
    ],
)
def test_score_of_a_day(counts, score):
    assert scoring.calculate_quality_score(counts, expected=1440) == pytest.approx(score)


@given(counts=counts, expected=st.integers(0, 3000))
def test_losses_explain_the_score(counts, expected):
    kept = 100.0
    for lost in scoring.losses(counts, expected=expected).values():
        assert 0 < lost <= 1
        kept *= 1 - lost

    assert scoring.calculate_quality_score(counts, expected=expected) == pytest.approx(kept)
