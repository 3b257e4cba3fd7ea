"""Which format a transcript has, and what is said in it when."""

import re
from collections.abc import Callable
from typing import Final

from analysis.contracts import Segment
from analysis.failures import Deterministic
from analysis.subtitles import cues, formats, markup, plain, rolling, splitting
from analysis.subtitles.decoding import UNREADABLE, decode
from analysis.subtitles.wording import Cue

Reader = Callable[[str], tuple[list[Cue], list[str]]]

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_REMARKS: Final = 50
_TIMING: Final = re.compile(r"\d\s*-{1,2}>\s*\d")
_BINARY: Final = (
    b"%PDF",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"\x1aE\xdf\xa3",
)


def parse(data: bytes, *, name: str) -> tuple[list[Segment], list[str]]:
    """Return what a transcript says and when, and what in it could not be read.

    SRT, WebVTT (YouTube's karaoke too), json3, YouTube's XML, ASS, TTML and plain text, in any
    common encoding. What the file holds decides, its name only where that leaves a choice.

    Args:
        data: the file.
        name: its name, for the ending.

    Returns:
        Segments by their beginning, each saying what the one before did not, long ones in pieces;
        and remarks for people, at most 50.

    Raises:
        Deterministic: ``empty_transcript``, ``transcript_too_large``, or ``unreadable_transcript``.
    """
    if len(data) > MOST_BYTES:
        raise Deterministic(
            f"a transcript may have {MOST_BYTES // 1024**2} MiB", code="transcript_too_large"
        )
    if data.startswith(_BINARY):
        raise Deterministic("the file is no transcript", code=UNREADABLE)
    text, remarks = decode(data)
    if not text.strip():
        raise Deterministic("the transcript is empty", code="empty_transcript")
    found, wrong = _reader(text, name)(text)
    remarks = _bounded([*remarks, *wrong])
    segments = splitting.split(rolling.collapse(found))
    if segments:
        return segments, remarks
    if wrong:
        raise Deterministic(f"no cue is readable: {wrong[0]}", code=UNREADABLE)
    raise Deterministic("nothing is said in the transcript", code="empty_transcript")


def _reader(text: str, name: str) -> Reader:
    begin = text.lstrip()[:4096]
    if begin.startswith("WEBVTT"):
        return cues.read
    if begin.startswith(("{", "[")) and _is_json(name, begin):
        return formats.read_json3
    if begin.startswith("<"):
        return _xml_reader(begin)
    if re.search(r"^\[(Script Info|V4\+? Styles|Events)\]", text, re.IGNORECASE | re.MULTILINE):
        return formats.read_ass
    if _TIMING.search(text) or ("->" in text and name.lower().endswith((".srt", ".vtt"))):
        return cues.read
    return plain.read


def _is_json(name: str, begin: str) -> bool:
    return begin.startswith("{") or name.lower().endswith((".json", ".json3"))


def _xml_reader(begin: str) -> Reader:
    if re.search(r"<(timedtext|transcript)\b", begin):
        return markup.read_timedtext
    if re.search(r"<(\w+:)?tt\b", begin):
        return markup.read_ttml
    raise Deterministic("this XML or HTML is no transcript", code=UNREADABLE)


def _bounded(remarks: list[str]) -> list[str]:
    more = len(remarks) - MOST_REMARKS
    if more <= 0:
        return remarks
    return [*remarks[: MOST_REMARKS - 1], f"… and {more + 1} more"]
