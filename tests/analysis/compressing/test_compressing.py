"""Transcripts made shorter: what is told stays, its time with it."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import compressing
from analysis.compressing.merging import weight
from analysis.contracts import Mention, Segment
from analysis.subtitles import parse

pytestmark = pytest.mark.once

REAL = Path(__file__).parents[4] / "shared" / "data" / "subtitles"
CHAT = ("well you know it was like that", "yeah okay so that is that", "it was just so good")


def spoken(*texts: str, step_ms: int = 5000) -> list[Segment]:
    return [
        Segment(at * step_ms, at * step_ms + step_ms - 2000, text) for at, text in enumerate(texts)
    ]


segments = st.lists(
    st.tuples(
        st.text("abc déf 東京市.", min_size=1).map(str.strip).filter(bool), st.integers(0, 4000)
    ),
    min_size=1,
    max_size=40,
).map(
    lambda cues: [
        Segment(at * 3000, at * 3000 + long_ms, text) for at, (text, long_ms) in enumerate(cues)
    ]
)


def test_cues_are_merged_up_to_a_full_stop_a_pause_or_a_length():
    cues = [
        Segment(0, 1000, "we are in"),
        Segment(1000, 2000, "Kuala Lumpur."),
        Segment(2000, 3000, "next"),
        Segment(9000, 9500, "我們去"),
        Segment(9500, 9900, "九份"),
    ]

    assert compressing.merge(cues) == [
        Segment(0, 2000, "we are in Kuala Lumpur."),
        Segment(2000, 3000, "next"),
        Segment(9000, 9900, "我們去九份"),
    ]


def test_a_sentence_that_names_a_place_is_kept_before_chat():
    place = "then we took a train to Zermatt below the Matterhorn"
    cues = spoken(*CHAT, place, *CHAT)

    kept = compressing.compress(cues, ratio=0.25, language="en", at_least=0)

    assert Segment(15_000, 18_000, place) in kept


def test_a_lower_case_place_is_kept_before_chat():
    place = "we arrived at the jiufen night market"
    cues = spoken(*CHAT, place, *CHAT)

    assert place in [each.text for each in compressing.compress(cues, ratio=0.3, at_least=0)]


def test_chinese_speech_is_told_apart_without_blanks():
    place = "我們搭火車到九份老街"
    cues = spoken("這個真的是很好吃", "真的很好吃對不對", place, "這個真的很好")

    kept = compressing.compress(cues, ratio=0.4, language="zh-TW", at_least=0)

    assert place in [each.text for each in kept]


def test_what_was_said_once_is_not_kept_twice():
    cues = spoken(*["the old fort of Galle stands by the sea"] * 3, "a train climbs up to Ella now")

    kept = [each.text for each in compressing.compress(cues, ratio=0.5, at_least=0)]

    assert sorted(kept) == [
        "a train climbs up to Ella now",
        "the old fort of Galle stands by the sea",
    ]


def test_a_short_transcript_is_kept_whole():
    cues = spoken(*CHAT, "then we took a train to Zermatt", *CHAT)

    assert compressing.compress(cues, ratio=0.2) == compressing.merge(cues)


def test_progress_is_counted_and_may_stop_the_work():
    cues = spoken(*(f"sentence number {at} about nothing in the world" for at in range(350)))
    told: list[tuple[int, int]] = []

    compressing.compress(cues, ratio=0.5, on_progress=lambda done, of: told.append((done, of)))

    assert told == [(100, 350), (200, 350), (300, 350), (350, 350)]

    def stop(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compressing.compress(cues, ratio=0.5, on_progress=stop)


@pytest.mark.parametrize("ratio", [0, -1, 1.1, float("nan")])
def test_a_ratio_that_is_none_is_refused(ratio):
    with pytest.raises(ValueError, match="the ratio lies above 0"):
        compressing.compress(spoken("a"), ratio=ratio)


@given(segments, st.floats(0.05, 1.0))
def test_kept_sentences_are_some_of_all_in_their_order_and_time(cues, ratio):
    sentences = compressing.merge(cues)

    kept = compressing.compress(cues, ratio=ratio, at_least=0)

    assert kept == [each for each in sentences if each in kept]
    assert kept
    assert {each.start_ms for each in kept} <= {each.start_ms for each in cues}
    allowed = ratio * sum(weight(each.text) for each in sentences)
    assert len(kept) == 1 or sum(weight(each.text) for each in kept) <= allowed + 1
    assert compressing.compress(cues, ratio=1) == sentences


@given(segments, st.integers(20, 200), st.integers(0, 19))
def test_chunks_hold_everything_and_repeat_only_their_ends(cues, most, overlap):
    pieces = compressing.chunks(cues, most=most, overlap=overlap)

    seen: list[Segment] = []
    for piece in pieces:
        new = [each for each in piece if each not in seen]
        assert new
        assert sum(weight(each.text) for each in piece[: -len(new)]) <= overlap
        assert len(piece) == 1 or sum(weight(each.text) for each in piece) <= most
        seen.extend(new)
    assert seen == cues


def test_chunks_of_nothing_are_none():
    assert compressing.chunks([]) == []
    with pytest.raises(ValueError, match="the overlap"):
        compressing.chunks([], most=5, overlap=5)


def test_a_mention_gets_the_time_of_the_cue_that_names_it():
    cues = [
        Segment(0, 1000, "we took"),
        Segment(1000, 2000, "a bus to Kuala"),
        Segment(2000, 3000, "Lumpur and"),
        Segment(3000, 4000, "kuala lumpur again"),
    ]
    mention = Mention("Kuala Lumpur", 0, 4000, "a bus to Kuala Lumpur")

    found = compressing.at_cue(mention, cues)

    assert (found.start_ms, found.end_ms) == (1000, 2000)
    assert compressing.at_cue(Mention("Ipoh", 0, 4000, ""), cues) == Mention("Ipoh", 0, 4000, "")


def test_a_real_transcript_is_compressed_in_an_instant():
    if not REAL.exists():
        pytest.skip("the real transcripts are not on this machine")
    path = REAL / "4ogYLmHYZb0.en.srt"
    cues, _ = parse(path.read_bytes(), name=path.name)

    began_s = time.process_time()
    kept = compressing.compress(cues, ratio=0.4, language="en")
    took_s = time.process_time() - began_s

    said = " ".join(each.text for each in kept)
    part = sum(weight(each.text) for each in kept) / sum(
        weight(each.text) for each in compressing.merge(cues)
    )
    assert 0.39 < part <= 0.4
    assert all(name in said for name in ("Kathmandu", "Pokhara", "Nepal"))
    assert took_s < 2.0
