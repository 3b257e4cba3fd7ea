"""Plain text: with a time before its lines, or with none."""

import re
from typing import Final

from analysis.subtitles.wording import Cue

_STAMP: Final = re.compile(
    r"\s*[\[(]?(?:(\d{1,2}):)?(\d{1,3}):(\d{2})(?:[.,]\d{1,3})?[\])]?\s*[-\u2013:]?\s*"
)
_SENTENCE: Final = re.compile("(?<=[.!?])\\s+|(?<=[\u3002\uff01\uff1f])")
#: A speaker's pace, for texts without times: letters, of which CJK say more each.
_LETTERS_PER_S: Final = 15.0
_CJK_PER_S: Final = 4.5
_CJK_FROM: Final = "\u2e80"
_LAST_MS: Final = 5_000


def read(text: str) -> tuple[list[Cue], list[str]]:
    """Return the lines of a plain text; where it names no times they are estimated, and said so."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    stamped = [(_stamp(line), line) for line in lines]
    if sum(at is not None for at, _ in stamped) * 4 >= len(stamped):
        return _stamped(stamped), []
    sentences = [part for line in lines for part in _SENTENCE.split(line) if part.strip()]
    cues, at_ms = [], 0
    for each in sentences:
        lasts_ms = spoken_ms(each)
        cues.append(Cue(at_ms, at_ms + lasts_ms, (each.strip(),)))
        at_ms += lasts_ms
    return cues, ["the text has no times: they are estimated from the pace of speech"]


def _stamp(line: str) -> int | None:
    found = _STAMP.match(line)
    if found is None:
        return None
    hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000


def _stamped(lines: list[tuple[int | None, str]]) -> list[Cue]:
    """Return lines with the time that stands before or above them, as YouTube shows transcripts."""
    cues: list[tuple[int, list[str]]] = []
    for at_ms, line in lines:
        if at_ms is not None:
            cues.append((at_ms, []))
        rest = _STAMP.sub("", line, count=1) if at_ms is not None else line
        if rest and cues:
            cues[-1][1].append(rest)
        elif rest:
            cues.append((0, [rest]))
    ends = [at_ms for at_ms, _ in cues[1:]]
    ends.append(cues[-1][0] + _LAST_MS)
    return [
        Cue(at_ms, max(at_ms, end_ms), tuple(words))
        for (at_ms, words), end_ms in zip(cues, ends, strict=True)
        if words
    ]


def spoken_ms(text: str) -> int:
    """Return about how long it takes to say a text."""
    wide = sum(char >= _CJK_FROM for char in text)
    return max(500, round(1000 * (wide / _CJK_PER_S + (len(text) - wide) / _LETTERS_PER_S)))
