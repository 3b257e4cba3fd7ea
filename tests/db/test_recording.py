import time

from hypothesis import given
from hypothesis import strategies as st

from project.db import places
from project.db.recording import KEPT_USES, ErrorKind, Event, Quantiles, Recorder, quantiles


@given(st.lists(st.floats(0, 100), min_size=1))
def test_quantiles_are_ordered_members(durations):
    found = quantiles(durations)

    assert min(durations) <= found.p50_s <= found.p95_s <= found.p99_s <= max(durations)
    assert {found.p50_s, found.p95_s, found.p99_s} <= set(durations)
    assert found.count == len(durations)


def test_quantiles_of_a_hundred():
    assert quantiles(range(1, 101)) == Quantiles(51, 96, 100, 100)
    assert quantiles([]) == Quantiles(0.0, 0.0, 0.0, 0)


def test_recorder_forgets_what_is_older_than_asked():
    recorder = Recorder()
    for second in range(10):
        recorder.use_ended(second, waited_s=second / 10, used_s=second)

    waits, uses = recorder.uses(since_s=7)

    assert (waits.count, uses.p50_s, uses.p99_s) == (3, 8, 9)
    assert recorder.events[Event.USED] == 10


def test_recorder_keeps_a_bounded_number():
    recorder = Recorder()
    for second in range(KEPT_USES + 10):
        recorder.use_ended(second, waited_s=0, used_s=0)

    assert recorder.uses(since_s=0)[0].count == KEPT_USES


def test_recorder_that_is_off_still_counts():
    recorder = Recorder(is_on=False)
    recorder.use_ended(time.monotonic(), waited_s=1, used_s=1)
    recorder.failed(ErrorKind.BUSY, "database is locked")

    assert recorder.uses(since_s=0)[0].count == 0
    assert recorder.events[Event.USED] == 1
    assert recorder.errors == {ErrorKind.BUSY: 1}
    assert recorder.last_error() == "database is locked"


def test_place_is_the_line_that_asked():
    place = places.taken_by("a thread")

    assert str(place) == "tests/db/test_recording.py:55"
    assert place.thread == "a thread"


def test_place_says_what_for():
    token = places.doing.set("GET /api/runs")
    place = places.taken_by("a thread")
    places.doing.reset(token)

    assert str(place).endswith(" (GET /api/runs)")


def test_place_looks_through_libraries(alias):
    from django.db import connections

    from project.db import statistics
    from project.db.stress.scratch import Account

    Account.objects.using(alias).count()
    oldest = statistics.snapshot(alias).oldest
    connections[alias].close()

    assert oldest is not None
    assert oldest.place.startswith("tests/db/test_recording.py:")
    assert oldest.thread == "MainThread"
