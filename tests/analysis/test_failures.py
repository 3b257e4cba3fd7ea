"""The kinds of failure keep what decides about the next try."""

import pytest

from analysis.failures import Blocked, Deterministic, Transient, is_passing


def test_kinds_of_failure_are_told_apart():
    blocked = Blocked("not here", retry_after=3.5)
    lasting = Deterministic("no subtitles", code="no_subtitles")

    assert isinstance(blocked, Transient)
    assert not isinstance(lasting, Transient)
    assert (str(blocked), blocked.retry_after) == ("not here", 3.5)
    assert (str(lasting), lasting.code) == ("no subtitles", "no_subtitles")
    assert Transient("busy").retry_after is None


@pytest.mark.parametrize(
    ("status", "passes"),
    [(400, False), (403, False), (404, False), (408, True), (425, True), (429, True), (503, True)],
)
def test_answers_that_may_be_others_in_a_while(status: int, passes: bool):
    assert is_passing(status) is passes
