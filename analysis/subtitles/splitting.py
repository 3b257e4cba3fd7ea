"""Long speech in one piece: cut, so that each part has a time of its own.

A pasted transcript may be one line without a full stop. As one segment everything in it would be
said at its beginning, and each name in it would be looked at in the light of all the text.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from analysis.contracts import Segment

#: Letters of a piece at most: some four lines of captions.
MOST_LETTERS: Final = 300


def split(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments, long ones in pieces, whose times go by their letters."""
    return [piece for segment in segments for piece in _pieces(segment)]


def _pieces(segment: Segment) -> Iterator[Segment]:
    if len(segment.text) <= MOST_LETTERS:
        yield segment
        return
    lasts_ms, total = segment.end_ms - segment.start_ms, len(segment.text)
    for at, end in _cuts(segment.text):
        yield Segment(
            segment.start_ms + lasts_ms * at // total,
            segment.start_ms + lasts_ms * end // total,
            segment.text[at:end].strip(),
        )


def _cuts(text: str) -> Iterator[tuple[int, int]]:
    """Yield where pieces begin and end: at blanks, and within a word only where there are none."""
    at = 0
    while len(text) - at > MOST_LETTERS:
        blank = text.rfind(" ", at + 1, at + MOST_LETTERS + 1)
        end = blank if blank > at else at + MOST_LETTERS
        if text[at:end].strip():
            yield at, end
        at = end
    if text[at:].strip():
        yield at, len(text)
