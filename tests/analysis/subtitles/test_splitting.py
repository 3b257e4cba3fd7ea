"""Long speech is cut into pieces, each with its time."""

from hypothesis import given
from hypothesis import strategies as st

from analysis import subtitles
from analysis.contracts import Segment
from analysis.subtitles.splitting import MOST_LETTERS, split

texts = st.text(st.sampled_from("ab 、台"), min_size=1, max_size=3 * MOST_LETTERS)


@given(texts.map(str.strip).filter(bool), st.integers(0, 10**6), st.integers(0, 10**6))
def test_pieces_say_the_same_in_the_same_time(text, start_ms, lasts_ms):
    whole = Segment(start_ms, start_ms + lasts_ms, text)

    pieces = split([whole])

    assert "".join(one.text for one in pieces).replace(" ", "") == text.replace(" ", "")
    assert all(0 < len(one.text) <= MOST_LETTERS for one in pieces)
    assert (pieces[0].start_ms, pieces[-1].end_ms) == (whole.start_ms, whole.end_ms)
    times = [ms for one in pieces for ms in (one.start_ms, one.end_ms)]
    assert times == sorted(times)


def test_words_are_not_cut_where_there_are_blanks():
    text = "we drove past lisbon " * 100

    pieces = split([Segment(0, 1000, text.strip())])

    assert {word for one in pieces for word in one.text.split()} == set(text.split())


def test_a_transcript_in_one_line_has_times_all_along():
    line = "we drove and drove until at last " * 200 + "we saw porto"

    segments, _ = subtitles.parse(line.encode(), name="pasted.txt")

    assert len(segments) > 20
    porto = next(one for one in segments if "porto" in one.text)
    assert porto.start_ms > 400_000
