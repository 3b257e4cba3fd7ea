"""Which cue names a place: the moment that the map shows and the video opens at."""

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from analysis.contracts import Mention, Segment

_AROUND_MS: Final = 1


def at_cue(mention: Mention, cues: Sequence[Segment]) -> Mention:
    """Return the mention with the time of the cue in which its name begins.

    Args:
        mention: with the time of the sentence it was found in.
        cues: the transcript, by their beginning.

    The mention as it is where no cue of that sentence names it.
    """
    first = bisect_left(cues, mention.start_ms, key=lambda cue: cue.start_ms)
    spoken = [cue for cue in cues[first:] if cue.start_ms < mention.end_ms + _AROUND_MS][:64]
    wanted = plain(mention.raw)
    if not wanted:
        return mention
    said, begins = "", []
    for cue in spoken:
        begins.append(len(said))
        said += plain(cue.text)
    at = said.find(wanted)
    if at < 0:
        return mention
    number = max(index for index, begin in enumerate(begins) if begin <= at)
    return replace(mention, start_ms=spoken[number].start_ms, end_ms=spoken[number].end_ms)


def plain(text: str) -> str:
    """Return letters and digits alone, of one case and width: what two spellings share."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum())
