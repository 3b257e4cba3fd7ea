"""json3 and ASS: formats with a reader of their own."""

import json
from typing import Any

import pysubs2

from analysis.failures import Deterministic
from analysis.subtitles.decoding import UNREADABLE
from analysis.subtitles.wording import Cue, cleaned


def read_json3(text: str) -> tuple[list[Cue], list[str]]:
    """Return the cues of YouTube's json3.

    Raises:
        Deterministic: it is no JSON, or JSON of another kind.
    """
    try:
        document = json.loads(text)
        events = document["events"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Deterministic("the JSON is no json3 transcript", code=UNREADABLE) from error
    if not isinstance(events, list):
        raise Deterministic("the JSON is no json3 transcript", code=UNREADABLE)
    cues, remarks = [], []
    for number, event in enumerate(events, start=1):
        try:
            cue = _event(event)
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
            remarks.append(f"event {number}: not readable")
            continue
        if cue is not None:
            cues.append(cue)
    return cues, remarks


def _event(event: dict[str, Any]) -> Cue | None:
    said = "".join(str(each.get("utf8", "")) for each in event.get("segs") or [])
    lines = tuple(" ".join(line.split()) for line in said.split("\n") if line.strip())
    if not lines:
        return None
    start_ms = int(event["tStartMs"])
    long_ms = int(event.get("dDurationMs") or 0)
    if start_ms < 0 or long_ms < 0:
        raise ValueError("time before the beginning")
    return Cue(start_ms, start_ms + long_ms, lines)


def read_ass(text: str) -> tuple[list[Cue], list[str]]:
    """Return the cues of ASS and SSA.

    Raises:
        Deterministic: pysubs2 can't read it.
    """
    try:
        lines = pysubs2.SSAFile.from_string(text, format_="ass")
    except Exception as error:  # its reader raises whatever the text breaks in it
        raise Deterministic("not readable as ASS", code=UNREADABLE) from error
    cues, remarks = [], []
    for number, each in enumerate(lines, start=1):
        if each.is_comment or each.is_drawing:
            continue
        words = cleaned(each.plaintext.split("\n"))
        if not words:
            continue
        if each.end < each.start or each.start < 0:
            remarks.append(f"cue {number}: the cue ends before it begins; its end is left out")
        start_ms = max(0, each.start)
        cues.append(Cue(start_ms, max(start_ms, each.end), words))
    return cues, remarks
