"""The kinds of failure keep what decides about the next try."""

from analysis.failures import Blocked, Deterministic, Transient


def test_kinds_of_failure_are_told_apart():
    blocked = Blocked("not here", retry_after=3.5)
    lasting = Deterministic("no subtitles", code="no_subtitles")

    assert isinstance(blocked, Transient)
    assert not isinstance(lasting, Transient)
    assert (str(blocked), blocked.retry_after) == ("not here", 3.5)
    assert (str(lasting), lasting.code) == ("no subtitles", "no_subtitles")
    assert Transient("busy").retry_after is None
