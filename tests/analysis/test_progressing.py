from hypothesis import given
from hypothesis import strategies as st

from analysis import progressing
from analysis.choices import WEIGHTS, Phase

PHASES = list(Phase)


def test_weights_are_those_of_the_contract():
    assert list(WEIGHTS.items()) == [
        ("metadata", 10.0),
        ("compression", 25.0),
        ("summary", 35.0),
        ("geocode", 30.0),
    ]


def test_five_places_located_one_by_one():
    told = [progressing.overall(Phase.GEOCODE, done, 5) for done in range(6)]

    assert told == [70.0, 76.0, 82.0, 88.0, 94.0, 100.0]


def test_what_a_run_waits_for_is_read_from_its_counts():
    counts = {"chunks": 3, **progressing.counts_while_waiting("names: cities", 0.456)}

    assert progressing.waiting(counts) == {"what": "names: cities", "percent": 46}
    assert progressing.waiting({"chunks": 3}) is None


def test_a_phase_without_pieces_is_done():
    assert progressing.overall(Phase.SUMMARY, 0, 0) == 70.0


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), min_size=2).map(sorted),
)
def test_progress_grows_with_the_work(steps):
    told = [progressing.overall(PHASES[phase], done, 50) for phase, done in steps]

    assert told == sorted(told)
    assert all(0 <= one <= 100 for one in told)
