"""Cues of SRT and WebVTT: the good ones read, the bad ones named, none of them fatal."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from analysis.subtitles.wording import Cue, cleaned

_TIME: Final = (
    r"(?:(?P<{0}h>\d{{1,3}}):)?(?P<{0}m>\d{{1,2}}):(?P<{0}s>\d{{1,2}})(?:[.,:](?P<{0}f>\d{{1,3}}))?"
)
_TIMING: Final = re.compile(
    rf"\s*{_TIME.format('a')}\s*-{{1,2}}>\s*{_TIME.format('b')}(?P<rest>(?:\s.*)?)$"
)
_ARROW: Final = re.compile(r"-->|\d\s*->\s*\d")
_SKIPPED: Final = re.compile(r"(NOTE|STYLE|REGION)(\s|$)")
_NUMBER: Final = re.compile(r"\s*\d+\s*$")
_SIXTY: Final = 60


@dataclass(slots=True)
class _Block:
    """One cue as its lines stand in the file."""

    line: int
    timing: str
    texts: list[str]


def read(text: str) -> tuple[list[Cue], list[str]]:
    """Return the cues of an SRT or WebVTT text, and what is wrong with others."""
    cues: list[Cue] = []
    remarks: list[str] = []
    for block in _blocks(text.split("\n")):
        span = _span(block.timing)
        if span is None:
            remarks.append(f"line {block.line}: no such time: {block.timing.strip()[:80]}")
            continue
        words = cleaned(block.texts)
        if not words:
            continue
        if span[1] < span[0]:
            remarks.append(f"line {block.line}: the cue ends before it begins; its end is left out")
        cues.append(Cue(span[0], max(span), words))
    return cues, remarks


def _blocks(lines: list[str]) -> Iterator[_Block]:
    """Yield the cues: each from its timing to the line before the next one's number."""
    block: _Block | None = None
    is_skipped = False
    for number, line in enumerate(lines, start=1):
        if _ARROW.search(line):
            if block is not None:
                yield _without_number(block, is_before_timing=True)
            block, is_skipped = _Block(number, line, []), False
        elif block is None or is_skipped:
            continue
        elif _SKIPPED.match(line) and block.texts and not block.texts[-1].strip():
            is_skipped = True
        else:
            block.texts.append(line)
    if block is not None:
        yield _without_number(block, is_before_timing=False)


def _without_number(block: _Block, *, is_before_timing: bool) -> _Block:
    """Take off the next cue's number or name, which stands alone after a blank line."""
    texts = block.texts
    if is_before_timing and texts and texts[-1].strip():
        is_alone = len(texts) > 1 and not texts[-2].strip()
        if is_alone or _NUMBER.match(texts[-1]):
            block.texts = texts[:-1]
    return block


def _span(line: str) -> tuple[int, int] | None:
    found = _TIMING.match(line)
    if found is None:
        return None
    start_ms, end_ms = _ms(found, "a"), _ms(found, "b")
    return None if start_ms is None or end_ms is None else (start_ms, end_ms)


def _ms(found: re.Match[str], which: str) -> int | None:
    """Return a moment in milliseconds; None where minutes or seconds are beyond 59."""
    hours, minutes, seconds = (int(found[f"{which}{part}"] or 0) for part in "hms")
    if minutes >= _SIXTY or seconds >= _SIXTY:
        return None
    fraction = (found[f"{which}f"] or "0").ljust(3, "0")
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int(fraction)
