"""Token buckets: no more than fit, and room for more as time goes by."""

from hypothesis import given
from hypothesis import strategies as st

from project.core import buckets
from project.core.buckets import Bucket, Buckets


class Clock:
    """A clock that is set by hand."""

    at = 1_700_000_000.0

    def __call__(self) -> float:
        return self.at


@given(
    size=st.integers(1, 50),
    amount=st.integers(1, 1000),
    per_s=st.integers(1, 86_400),
    gaps=st.lists(st.floats(0, 200), min_size=1, max_size=60),
)
def test_no_stretch_of_time_holds_more_than_the_burst_and_what_came_back(size, amount, per_s, gaps):
    clock, bucket, passed = Clock(), Bucket(size, amount, per_s), []
    here = Buckets(clock)
    for gap in gaps:
        clock.at += gap
        if here.take("a", bucket).is_allowed:
            passed.append(clock.at)

    for first in range(len(passed)):
        for last in range(first, len(passed)):
            room = size + (passed[last] - passed[first]) / bucket.each_s
            assert last - first + 1 <= room + 0.01


def test_one_that_waits_as_told_is_let_through():
    clock, bucket = Clock(), Bucket(2, 7, 60)
    here = Buckets(clock)
    found = [here.take("a", bucket) for _ in range(3)]
    clock.at += found[-1].reset_s

    assert [one.is_allowed for one in found] == [True, True, False]
    assert here.take("a", bucket).is_allowed


def test_memory_forgets_full_buckets(monkeypatch):
    monkeypatch.setattr(buckets, "_SWEEP_AT", 100)
    clock = Clock()
    here = Buckets(clock)
    for number in range(1000):
        here.take(f"who-{number}", Bucket(1, 1, 60))
        clock.at += 1

    assert len(here._full_at) <= 200


def test_fullest_counts_what_came_faster_than_room_came_back():
    bucket = Bucket(5, 60, 60)

    assert buckets.fullest([], bucket) == 0
    assert buckets.fullest([0, 1, 2, 3], bucket) == 1
    assert buckets.fullest([0, 0, 0, 2, 2], bucket) == 3
