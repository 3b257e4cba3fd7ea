"""Which cues make a sentence: what is said without a pause, up to a full stop or a length."""

from collections.abc import Sequence
from typing import Final

from analysis.contracts import Segment

PAUSE_MS: Final = 1_500
LONGEST_MS: Final = 12_000
#: About 25 words; a CJK sign says as much as four letters.
LONGEST_WEIGHT: Final = 140
CJK_WEIGHT: Final = 4
_CJK_FROM: Final = "\u2e80"
_ENDS: Final = tuple(".!?…。！？")
_CLOSING: Final = "\"')]}»”’」』）"


def weight(text: str) -> int:
    """Return how much a text says, in letters: a CJK sign counts as four."""
    wide = sum(char >= _CJK_FROM for char in text)
    return len(text) + wide * (CJK_WEIGHT - 1)


def merge(cues: Sequence[Segment]) -> list[Segment]:
    """Return sentences: each begins when its first cue does and ends with its last."""
    found: list[Segment] = []
    parts: list[Segment] = []
    for cue in cues:
        if parts and _is_apart(parts, cue):
            found.append(_joined(parts))
            parts = []
        parts.append(cue)
    if parts:
        found.append(_joined(parts))
    return found


def _is_apart(parts: Sequence[Segment], cue: Segment) -> bool:
    last = parts[-1]
    return (
        last.text.rstrip(_CLOSING).endswith(_ENDS)
        or cue.start_ms - last.end_ms > PAUSE_MS
        or cue.end_ms - parts[0].start_ms > LONGEST_MS
        or sum(weight(each.text) for each in parts) + weight(cue.text) > LONGEST_WEIGHT
    )


def _joined(parts: Sequence[Segment]) -> Segment:
    text = parts[0].text
    for part in parts[1:]:
        wide = text[-1:] >= _CJK_FROM and part.text[:1] >= _CJK_FROM
        text += part.text if wide else f" {part.text}"
    return Segment(parts[0].start_ms, max(each.end_ms for each in parts), text)
