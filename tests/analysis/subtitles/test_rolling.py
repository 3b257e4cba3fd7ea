"""What rolling captions repeat is said once; what a speaker repeats stays."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.contracts import Segment
from analysis.subtitles.rolling import collapse
from analysis.subtitles.wording import Cue

pytestmark = pytest.mark.once

words = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=6), min_size=1, max_size=4
)


def test_upper_line_that_was_said_is_left_out():
    cues = [Cue(0, 2000, ("a b",)), Cue(1000, 3000, ("a b", "c d")), Cue(3000, 4000, ("c d", "e"))]

    assert collapse(cues) == [
        Segment(0, 1000, "a b"),
        Segment(1000, 3000, "c d"),
        Segment(3000, 4000, "e"),
    ]


def test_a_growing_line_says_its_new_words_alone():
    cues = [Cue(0, 10, ("go",)), Cue(10, 20, ("go to",)), Cue(20, 30, ("go to Rome",))]

    assert collapse(cues) == [Segment(0, 10, "go"), Segment(10, 20, "to"), Segment(20, 30, "Rome")]


def test_a_word_that_only_begins_alike_is_another():
    cues = [Cue(0, 10, ("go",)), Cue(10, 20, ("goal",))]

    assert [each.text for each in collapse(cues)] == ["go", "goal"]


def test_what_is_said_again_after_a_pause_stays():
    cues = [Cue(0, 1000, ("no",)), Cue(5000, 6000, ("no",))]

    assert [each.text for each in collapse(cues)] == ["no", "no"]


def test_growing_lines_without_blanks():
    cues = [Cue(0, 10, ("我們去",)), Cue(10, 20, ("我們去九份",))]

    assert [each.text for each in collapse(cues)] == ["我們去", "九份"]


@given(st.lists(words, min_size=1, max_size=15))
def test_a_roll_of_lines_is_said_as_if_it_had_not_rolled(spoken):
    lines = [f"{number}{' '.join(each)}" for number, each in enumerate(spoken)]
    cues = []
    for number, line in enumerate(lines):
        shown = (lines[number - 1], line) if number else (line,)
        cues.append(Cue(number * 1000, number * 1000 + 990, shown))
        cues.append(Cue(number * 1000 + 990, number * 1000 + 1000, (line,)))

    found = collapse(cues)

    assert [each.text for each in found] == lines
    assert [each.start_ms for each in found] == [number * 1000 for number in range(len(lines))]
    assert all(one.end_ms <= other.start_ms for one, other in pairwise(found))
