"""Transcripts of every format and encoding, whole and broken."""

import json
from pathlib import Path

import pysubs2
import pytest
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.contracts import Segment
from analysis.failures import Deterministic
from analysis.subtitles import parse, parsing

pytestmark = pytest.mark.once

REAL = Path(__file__).parents[4] / "shared" / "data" / "subtitles"
KARAOKE = """WEBVTT
Kind: captions
Language: en

00:00:00.160 --> 00:00:02.389 align:start position:0%

hello<00:00:00.400><c> everyone</c><00:00:00.880><c> and</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
hello everyone and


00:00:02.399 --> 00:00:04.789 align:start position:0%
hello everyone and
welcome<00:00:02.720><c> to</c><00:00:02.879><c> taiwan</c>

NOTE what nobody says
  goes on here

00:00:04.789 --> 00:00:04.799 align:start position:0%
welcome to taiwan

00:00:04.799 --> 00:00:06.000
welcome to taiwan
fish &amp; chips
"""


def said(data: bytes | str, name: str = "talk") -> list[Segment]:
    return parse(data.encode() if isinstance(data, str) else data, name=name)[0]


def code_of(data: bytes, name: str = "talk.srt") -> str:
    with pytest.raises(Deterministic) as raised:
        parse(data, name=name)
    return raised.value.code


def test_srt_with_carriage_returns_numbers_without_blank_lines_and_styles():
    text = (
        "\ufeff1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Hi</i> {\\an8}there\r\n"
        "2\r\n00:00:03,000 --> 00:00:04,000\r\nin 1990\r\n\r\n"
        "3\r\r\n1:00:00,5 --> 1:00:01\r\r\nIt was\r\r\n1990\r\r\n"
    )

    assert parse(text.encode(), name="a.srt") == (
        [
            Segment(1000, 2500, "Hi there"),
            Segment(3000, 4000, "in 1990"),
            Segment(3_600_500, 3_601_000, "It was 1990"),
        ],
        [],
    )


def test_bad_cues_are_named_and_the_good_ones_kept():
    text = (
        "1\n00:00:01,000 --> 00:00:02,000\ngood\n\n"
        "2\n00:99:01,000 --> 00:00:02,000\nno such minute\n\n"
        "3\nhere --> there\nno time at all\n\n"
        "4\n00:00:09,000 --> 00:00:05,000\nback in time\n"
    )

    found, remarks = parse(text.encode(), name="a.srt")

    assert found == [Segment(1000, 2000, "good"), Segment(9000, 9000, "back in time")]
    assert remarks == [
        "line 6: no such time: 00:99:01,000 --> 00:00:02,000",
        "line 10: no such time: here --> there",
        "line 14: the cue ends before it begins; its end is left out",
    ]


def test_remarks_are_bounded():
    bad = "00:99:00,000 --> 00:99:01,000\nx\n\n" * 200
    text = f"{bad}00:00:01,000 --> 00:00:02,000\ngood\n"

    found, remarks = parse(text.encode(), name="a.srt")

    assert found == [Segment(1000, 2000, "good")]
    assert len(remarks) == 50
    assert remarks[-1] == "… and 151 more"


def test_karaoke_captions_say_each_word_once():
    assert said(KARAOKE) == [
        Segment(160, 2399, "hello everyone and"),
        Segment(2399, 4799, "welcome to taiwan"),
        Segment(4799, 6000, "fish & chips"),
    ]


def test_json3():
    events = [
        {"tStartMs": 0, "dDurationMs": 9000, "id": 1},
        {"tStartMs": 1000, "dDurationMs": 2000, "segs": [{"utf8": "we"}, {"utf8": " are in"}]},
        {"tStartMs": 2000, "dDurationMs": 1000, "aAppend": 1, "segs": [{"utf8": "\n"}]},
        {"tStartMs": "soon", "segs": [{"utf8": "lost"}]},
        {"tStartMs": 2100, "dDurationMs": 900, "segs": [{"utf8": "kyoto"}]},
    ]

    found, remarks = parse(json.dumps({"events": events}).encode(), name="a.json3")

    assert found == [Segment(1000, 2100, "we are in"), Segment(2100, 3000, "kyoto")]
    assert remarks == ["event 4: not readable"]


def test_ass_without_comments_and_styles():
    text = (
        "[Script Info]\nTitle: x\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n\n"
        "[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,unseen\n"
        "Dialogue: 0,0:00:01.00,0:00:03.50,Default,,0,0,0,,{\\i1}Hello{\\i0} from\\NZermatt\n"
    )

    assert said(text) == [Segment(1000, 3500, "Hello from Zermatt")]


def test_ttml_in_all_its_ways_to_write_time():
    text = (
        '<?xml version="1.0" encoding="utf-8"?><tt xmlns="http://www.w3.org/ns/ttml"'
        ' xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:tickRate="10" ttp:frameRate="25">'
        "<body><div>"
        '<p begin="00:00:01.000" end="00:00:02.500">Hi<br/><span>there</span></p>'
        '<p begin="3s" dur="1.5s">Kyoto</p><p begin="50t" end="60t">ticks</p>'
        '<p begin="00:00:07:05" end="00:00:08:00">frames</p><p begin="never">lost</p>'
        "</div></body></tt>"
    )

    found, remarks = parse(text.encode(), name="a.ttml")

    assert found == [
        Segment(1000, 2500, "Hi there"),
        Segment(3000, 4500, "Kyoto"),
        Segment(5000, 6000, "ticks"),
        Segment(7200, 8000, "frames"),
    ]
    assert remarks == ["paragraph 5: no such time: never"]


@pytest.mark.parametrize(
    "text",
    [
        '<transcript><text start="1.5" dur="2">Rome &amp;amp; Ostia</text></transcript>',
        (
            '<?xml version="1.0"?><timedtext format="3"><body><p t="1500" d="2000">Rome '
            "<s>&amp;amp; Ostia</s></p></body></timedtext>"
        ),
    ],
)
def test_youtubes_xml(text):
    assert said(text) == [Segment(1500, 3500, "Rome & Ostia")]


def test_plain_text_with_times_as_a_site_shows_them():
    assert said("0:00\nhello there\n(0:05) we are in Rome\n1:02:03 - and out\n") == [
        Segment(0, 5000, "hello there"),
        Segment(5000, 3_723_000, "we are in Rome"),
        Segment(3_723_000, 3_728_000, "and out"),
    ]


def test_plain_text_without_times_says_that_they_are_estimated():
    found, remarks = parse("We are in Rome. 今天去九份老街。".encode(), name="a.txt")

    assert found == [Segment(0, 1000, "We are in Rome."), Segment(1000, 2778, "今天去九份老街。")]
    assert remarks == ["the text has no times: they are estimated from the pace of speech"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("big5", "今天我們要去九份老街然後去台北一零一"),
        ("gb18030", "今天我们去北京的故宫博物院参观"),
        ("cp932", "京都の清水寺へ行きます"),
        ("euc_jp", "京都の清水寺へ行きます"),
        ("euc_kr", "오늘은 서울 경복궁에 갑니다"),
        ("cp1251", "Сегодня мы едем в Москву и Санкт-Петербург"),
        ("cp1252", "Où est le café près de Besançon, déjà là-bas à Orléans"),
        ("cp1250", "Dzisiaj jedziemy do Łodzi i Gdańska, później zażółć gęślą jaźń"),
        ("utf-8-sig", "Zürich 東京"),
        ("utf-16", "Zürich 東京"),
        ("utf-16-le", "only plain letters"),
        ("utf-16-be", "only plain letters"),
        ("utf-32", "Zürich 東京"),
    ],
)
def test_encodings(encoding, text):
    srt = f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n"

    assert said(srt.encode(encoding)) == [Segment(1000, 2000, text)]


def test_a_broken_byte_is_named_not_fatal():
    data = b"\xff\xfe" + "1\n00:00:01,000 --> 00:00:02,000\nHi".encode("utf-16-le") + b"\x00"

    found, remarks = parse(data, name="a.srt")

    assert [each.start_ms for each in found] == [1000]
    assert remarks == ["not all bytes are utf-16: the first that isn't is number 71"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_transcript"),
        (b" \n\t\n", "empty_transcript"),
        (b"WEBVTT\n\nNOTE nothing\n", "empty_transcript"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n<i></i>\n", "empty_transcript"),
        (bytes(range(256)) * 4, "unreadable_transcript"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 100, "unreadable_transcript"),
        (b"1\n00:99:00,000 --> 00:99:01,000\nx\n", "unreadable_transcript"),
        (b'{"events": 3}', "unreadable_transcript"),
        (b'{"a": 1}', "unreadable_transcript"),
        (b"{" * 5000, "unreadable_transcript"),
        (b"<html><p>404</p></html>", "unreadable_transcript"),
        (b'<tt xmlns="http://www.w3.org/ns/ttml"><p begin=', "unreadable_transcript"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><tt>&b;</tt>', "unreadable_transcript"),
    ],
)
def test_what_is_no_transcript_is_refused_by_a_stable_code(data, code):
    assert code_of(data) == code


def test_a_file_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(parsing, "MOST_BYTES", 10)

    assert code_of(b"x" * 11) == "transcript_too_large"


def test_readers_of_others_find_the_same_cues():
    if not REAL.exists():
        pytest.skip("the real transcripts are not on this machine")
    for path in REAL.glob("*.srt"):
        theirs = [
            (each.start, each.plaintext.split())
            for each in sorted(pysubs2.load(str(path)), key=lambda cue: cue.start)
            if each.plaintext.split()
        ]
        ours = {each.start_ms: each.text.split() for each in said(path.read_bytes())}
        missing = [start for start, _ in theirs if start not in ours]

        assert len(missing) <= len(theirs) * 0.02  # cues that only repeat
        assert sum(ours[start] == words for start, words in theirs if start in ours) > 0.97 * len(
            theirs
        )


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9_000_000),
            st.integers(200, 9_000),
            st.text("abc äß 東京", min_size=1).filter(str.strip),
        ),
        min_size=1,
        max_size=20,
        unique_by=lambda cue: cue[0],
    )
)
def test_webvtt_is_read_as_webvtt_py_reads_it(cues):
    file = webvtt.WebVTT()
    for start_ms, long_ms, text in sorted(cues):
        start, end = _stamp(start_ms * 10), _stamp(start_ms * 10 + long_ms)
        file.captions.append(webvtt.Caption(start, end, f"{start_ms}x {text.strip()}"))

    found = said(file.content)

    assert [(each.start_ms, each.text) for each in found] == [
        (start_ms * 10, " ".join(f"{start_ms}x {text}".split()))
        for start_ms, _, text in sorted(cues)
    ]


def _stamp(at_ms: int) -> str:
    seconds, ms = divmod(at_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=200).map(str.encode),
        st.text("0123456789:,.->\n WEBVTT<>{}a", max_size=200).map(str.encode),
        st.text('<>tpbegin="0s/ ', max_size=120).map(lambda text: f"<tt>{text}".encode()),
    ),
    st.sampled_from(["a.srt", "b.vtt", "c.json", "d.txt", ""]),
)
def test_whatever_comes_is_read_or_refused(data, name):
    found: list[Segment] = []
    remarks: list[str] = []
    refused = ""
    try:
        found, remarks = parse(data, name=name)
    except Deterministic as refusal:
        refused = refusal.code

    if refused:
        assert refused in {"empty_transcript", "unreadable_transcript"}
        return
    assert found
    assert all(0 <= each.start_ms <= each.end_ms and each.text.strip() for each in found)
    assert [each.start_ms for each in found] == sorted(each.start_ms for each in found)
    assert len(remarks) <= parsing.MOST_REMARKS


@pytest.mark.parametrize("name", ["notes.srt", "notes.vtt", "notes.txt"])
def test_text_without_times_is_read_whatever_the_file_is_called(name):
    segments, remarks = parse(b"we were in Lisbon\nthen in Porto", name=name)

    assert [one.text for one in segments] == ["we were in Lisbon", "then in Porto"]
    assert remarks == ["the text has no times: they are estimated from the pace of speech"]
