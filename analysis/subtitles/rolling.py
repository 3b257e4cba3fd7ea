"""Rolling captions: what a cue only repeats of the one before is said once.

Automatic captions show two lines, of which the upper one was said already, or let one line grow
word by word. Only cues that touch in time are compared: what is said again later is said again.
"""

from collections.abc import Sequence
from typing import Final

from analysis.contracts import Segment
from analysis.subtitles.wording import Cue

#: Cues this close follow each other without a pause.
TOUCHING_MS: Final = 100


def collapse(cues: Sequence[Cue]) -> list[Segment]:
    """Return the cues in the order of their beginning, each saying only what is new.

    A cue that says nothing new lengthens the one before. Ends are cut where the next cue begins.
    """
    found: list[Segment] = []
    last: Cue | None = None
    for cue in sorted(cues, key=lambda each: each.start_ms):
        new = _joined(cue.lines)
        if last is not None and cue.start_ms <= last.end_ms + TOUCHING_MS:
            new = _new_of(last, cue)
        if new:
            _cut(found, cue.start_ms)
            found.append(Segment(cue.start_ms, cue.end_ms, new))
        elif found:
            grown = max(found[-1].end_ms, cue.end_ms)
            found[-1] = Segment(found[-1].start_ms, grown, found[-1].text)
        last = cue
    return found


def _joined(lines: Sequence[str]) -> str:
    return " ".join(lines)


def _new_of(last: Cue, cue: Cue) -> str:
    """Return what ``cue`` says beyond ``last``; empty where it only repeats."""
    for count in range(min(len(last.lines), len(cue.lines)), 0, -1):
        if last.lines[-count:] == cue.lines[:count]:
            return _joined(cue.lines[count:])
    before, now = _joined(last.lines), _joined(cue.lines)
    if _is_part(now, before):
        return ""
    grown = last.lines[-1]
    for start in (before, grown):
        if now.startswith(start) and _ends_word(now, len(start)):
            return now[len(start) :].strip()
    return now


def _is_part(now: str, before: str) -> bool:
    """Say whether ``now`` is the end of ``before``, by whole words."""
    return before.endswith(now) and (
        len(before) == len(now) or before[-len(now) - 1].isspace() or not now[0].isascii()
    )


def _ends_word(text: str, at: int) -> bool:
    """Say whether a word ends at a place; scripts without blanks end one anywhere."""
    if at >= len(text) or text[at].isspace():
        return True
    return not (text[at].isascii() and text[at].isalnum())


def _cut(found: list[Segment], start_ms: int) -> None:
    """Let the last segment end where the next begins, unless both begin together."""
    if found and found[-1].start_ms < start_ms < found[-1].end_ms:
        found[-1] = Segment(found[-1].start_ms, start_ms, found[-1].text)
