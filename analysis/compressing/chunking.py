"""How a transcript is cut for an extractor: in pieces that overlap, none too long."""

from collections.abc import Sequence
from typing import Final

from analysis.compressing.merging import weight
from analysis.contracts import Segment

#: Letters in a piece: some 1,500 tokens; and of them those that the next piece repeats.
CHUNK_WEIGHT: Final = 6_000
OVERLAP_WEIGHT: Final = 600


def chunks(
    segments: Sequence[Segment],
    *,
    most: int = CHUNK_WEIGHT,
    overlap: int = OVERLAP_WEIGHT,
) -> list[list[Segment]]:
    """Return pieces of whole segments; each but the first begins with the end of the one before.

    Args:
        segments: in the order spoken.
        most: weight of a piece in letters; a longer segment is a piece of its own.
        overlap: weight of what is repeated, so that what is said across a cut is seen whole.

    Raises:
        ValueError: the overlap leaves no room for anything new.
    """
    if not 0 <= overlap < most:
        raise ValueError("the overlap must be shorter than a piece")
    found: list[list[Segment]] = []
    piece: list[Segment] = []
    size = 0
    for segment in segments:
        if piece and size + weight(segment.text) > most:
            found.append(piece)
            room = min(overlap, most - weight(segment.text))
            piece = _tail(piece, room)
            size = sum(weight(each.text) for each in piece)
        piece.append(segment)
        size += weight(segment.text)
    if piece:
        found.append(piece)
    return found


def _tail(piece: Sequence[Segment], room: int) -> list[Segment]:
    kept: list[Segment] = []
    for segment in reversed(piece[1:]):  # never the whole piece again
        room -= weight(segment.text)
        if room < 0:
            break
        kept.insert(0, segment)
    return kept
