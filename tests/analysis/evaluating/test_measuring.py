"""Hits and misses are counted as the docs say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.evaluating import measuring
from analysis.evaluating.corpora import Document, Label
from analysis.evaluating.measuring import Counts, Distances
from analysis.geocoding.distances import km

TEXT = "New York and Turkish Paris or Rome"
DOCUMENT = Document(
    "d", TEXT, (Label(0, 8, "New York"), Label(13, 20, "Turkish"), Label(21, 26, "Paris")), lost=1
)


def test_hits_overlap_or_are_exact():
    counts = measuring.count([(4, 8), (21, 26), (30, 34)], DOCUMENT, peoples=False)

    assert counts == Counts(labels=3, found=3, exact=1, right=2, recalled=2)
    assert counts.figures() == {
        "precision": 0.667, "recall": 0.667, "f1": 0.667, "f1_exact": 0.333,
    }  # fmt: skip


def test_words_for_peoples_count_only_where_asked():
    found = [(13, 20)]

    assert measuring.count(found, DOCUMENT, peoples=True) == Counts(4, 1, 1, 1, 1)
    assert measuring.count(found, DOCUMENT, peoples=False) == Counts(3, 0, 0, 0, 0)


def test_nothing_found_and_nothing_labelled_is_no_division():
    assert set(Counts().figures().values()) == {0.0}
    assert Distances().figures()["median_km"] is None


def test_kilometres_of_what_is_located_and_of_all():
    apart = Distances([0.0, 161.0, 161.1, None])

    assert apart.figures() == {
        "labels": 4,
        "located": 3,
        "within_161_km": 0.5,
        "within_161_km_of_located": 0.667,
        "median_km": 161.0,
        "mean_km": 107.4,
    }


@given(st.text(max_size=60))
def test_speech_is_as_long_as_what_was_written(text):
    assert len(measuring.as_speech(text)) == len(text)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [((48.8566, 2.3522), (51.5074, -0.1278), 343.6), ((0, 179.5), (0, -179.5), 111.2), ((90, 0), (-90, 0), 20015.1)],
)  # fmt: skip
def test_distances_go_round_the_globe(one, other, apart):
    assert km(one, other) == pytest.approx(apart, abs=0.5)
    assert km(other, one) == pytest.approx(km(one, other))
