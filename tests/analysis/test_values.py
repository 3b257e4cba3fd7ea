import json

from hypothesis import given
from hypothesis import strategies as st

from analysis import values
from analysis.contracts import Mention, Segment, VideoContext

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
times = st.integers(0, 10**9)


@given(st.lists(st.builds(Segment, times, times, texts)))
def test_segments_come_back_as_they_were(segments):
    kept = json.loads(json.dumps(values.of_segments(segments)))

    assert values.segments(kept) == segments


@given(st.builds(Mention, texts, times, times, texts, texts, st.tuples(texts), texts))
def test_mentions_come_back_as_they_were(mention):
    assert values.mention(json.loads(json.dumps(values.of_mention(mention)))) == mention


@given(st.builds(VideoContext, texts, texts, texts, st.tuples(texts, texts), texts, times))
def test_videos_come_back_as_they_were(video):
    assert values.video(json.loads(json.dumps(values.of_video(video)))) == video


@given(st.text())
def test_what_is_kept_can_be_written(text):
    kept = values.clean(text)

    assert "\x00" not in kept
    assert kept.encode().decode() == kept


def test_facts_are_cleaned_all_through():
    assert values.facts({"a\x00": ["\x00b", {"c": "\ud83d"}], "n": 1.5}) == {
        "a": ["b", {"c": "?"}],
        "n": 1.5,
    }
