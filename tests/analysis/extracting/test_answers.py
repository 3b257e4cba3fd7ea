"""What of a model's answer is believed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.contracts import Segment
from analysis.extracting import answers
from analysis.extracting.answers import Spoken, UnreadableAnswerError

pytestmark = pytest.mark.once

CHUNK = [Segment(0, 900, "we took a bus to Kuala"), Segment(1000, 1900, "Lumpur, then 九份老街")]


def mentions(*places: Spoken):
    return [(each.raw, each.start_ms, each.confidence) for each in answers.believed(places, CHUNK)]


def test_names_over_two_segments_have_the_time_of_the_first():
    assert mentions(Spoken(name="Kuala Lumpur", quote="a bus to kuala lumpur")) == [
        ("Kuala Lumpur", 0, 0.9)
    ]


def test_quotes_are_compared_by_letters_alone():
    assert mentions(
        Spoken(name="九份", quote="Lumpur — then, 九份老街!"),
        Spoken(name="Jiufen", quote="then 九份老街"),
        Spoken(name="Lumpur", quote="never said"),
        Spoken(name="Atlantis", quote="never said"),
        Spoken(name="...", quote="bus"),
    ) == [("Lumpur", 1000, 0.7), ("Jiufen", 1000, 0.5), ("九份", 1000, 0.9)]


def test_a_place_named_twice_in_a_segment_is_one():
    assert len(mentions(Spoken(name="Kuala"), Spoken(name="kuala", quote="to Kuala"))) == 1


def test_what_is_kept_is_bounded_and_clean():
    place = Spoken(
        name="  Kuala   Lumpur ",
        description="x" * 900,
        tags=["City", "city", " ", *"abcdefgh"],
        country="Malaysia",
    )

    (found,) = answers.believed([place], CHUNK)

    assert (found.raw, len(found.description), found.country) == ("Kuala Lumpur", 600, "")
    assert found.tags == ("city", "a", "b", "c", "d", "e")


@pytest.mark.parametrize(
    "text",
    ["", "no", "{", '{"places": 3}', '{"places": [{"quote": "no name"}]}', "[1]", "}{"],
)
def test_other_answers_are_unreadable(text):
    with pytest.raises(UnreadableAnswerError):
        answers.read(text)


def test_words_around_the_json_and_missing_fields_are_passed_over():
    text = 'Sure!\n```json\n{"places": [{"name": "Rome", "quote": null, "more": 1}]}\n```\nBye {}'

    assert answers.read(text) == [Spoken(name="Rome")]


def test_the_schema_is_as_strict_as_it_is_asked():
    place = answers.schema()["properties"]["places"]["items"]

    assert sorted(place["required"]) == sorted(place["properties"])
    assert place["additionalProperties"] is False


@given(st.text(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_whatever_a_model_says_is_read_or_unreadable(text):
    try:
        found = answers.read(text)
    except UnreadableAnswerError:
        found = []

    assert isinstance(answers.believed(found, CHUNK), tuple)
