"""Subtitles written as XML: TTML, and YouTube's own two kinds."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from analysis.failures import Deterministic
from analysis.subtitles.decoding import UNREADABLE
from analysis.subtitles.wording import Cue, cleaned

#: Marks a text as XML that wants to define things of its own: nothing that subtitles need.
_DEFINES: Final = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_CLOCK: Final = re.compile(r"(\d{1,3}):(\d{2}):(\d{2})(?:([.:])(\d{1,9}))?")
_OFFSET: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(h|m|s|ms|f|t)")
_PARAMETER: Final = "{http://www.w3.org/ns/ttml#parameter}"
_UNITS_MS: Final = {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0}
_USUAL_FRAMES: Final = 30.0


def read_ttml(text: str) -> tuple[list[Cue], list[str]]:
    """Return the cues of TTML: clock times and offsets, ends and durations, breaks as lines.

    Raises:
        Deterministic: the XML is broken.
    """
    root = _xml(text)
    rates = _rates(root)
    cues, remarks = [], []
    for number, node in enumerate(_paragraphs(root), start=1):
        start_ms = rates.ms(node.attrib.get("begin", ""))
        if start_ms is None:
            remarks.append(f"paragraph {number}: no such time: {node.attrib.get('begin', '')[:40]}")
            continue
        end_ms = rates.ms(node.attrib.get("end", ""))
        if end_ms is None:
            end_ms = start_ms + (rates.ms(node.attrib.get("dur", "")) or 0)
        lines = cleaned("".join(_said(node)).split("\n"))
        if lines:
            cues.append(Cue(start_ms, max(start_ms, end_ms), lines))
    return cues, remarks


def read_timedtext(text: str) -> tuple[list[Cue], list[str]]:
    """Return the cues of YouTube's XML: ``<text start= dur=>`` in seconds, ``<p t= d=>`` in ms.

    Raises:
        Deterministic: the XML is broken.
    """
    cues, remarks = [], []
    for number, node in enumerate(_xml(text).iter(), start=1):
        if node.tag not in {"text", "p"}:
            continue
        unit, start, long = (1000, "start", "dur") if node.tag == "text" else (1, "t", "d")
        try:
            start_ms = round(float(node.attrib[start]) * unit)
            long_ms = round(float(node.attrib.get(long, "0")) * unit)
        except (KeyError, ValueError, OverflowError):
            remarks.append(f"element {number}: no time")
            continue
        lines = cleaned("".join(node.itertext()).split("\n"))
        if lines:
            cues.append(Cue(max(0, start_ms), max(0, start_ms) + max(0, long_ms), lines))
    return cues, remarks


def _xml(text: str) -> ET.Element:
    if _DEFINES.search(text):
        raise Deterministic("XML that defines entities is not read", code=UNREADABLE)
    bare = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)  # it names an encoding, which is past
    try:
        return ET.fromstring(bare)  # noqa: S314 -- without definitions, see above
    except (ET.ParseError, ValueError) as error:
        raise Deterministic(f"the XML is broken: {error}", code=UNREADABLE) from error


@dataclass(frozen=True, slots=True)
class _Rates:
    """How long frames and ticks of a document are."""

    frame_ms: float
    tick_ms: float

    def ms(self, text: str) -> int | None:
        """Return a time expression in milliseconds; None where it is none."""
        offset = _OFFSET.fullmatch(text.strip())
        if offset is not None:
            units = {**_UNITS_MS, "f": self.frame_ms, "t": self.tick_ms}
            return round(float(offset[1]) * units[offset[2]])
        clock = _CLOCK.fullmatch(text.strip())
        if clock is None:
            return None
        whole = ((int(clock[1]) * 60 + int(clock[2])) * 60 + int(clock[3])) * 1000
        if clock[5] is None:
            return whole
        part = float(f"0.{clock[5]}") * 1000 if clock[4] == "." else int(clock[5]) * self.frame_ms
        return whole + round(part)


def _rates(root: ET.Element) -> _Rates:
    def rate(name: str, usual: float) -> float:
        try:
            found = float(root.attrib.get(_PARAMETER + name, usual))
        except ValueError:
            return usual
        return found if found > 0 else usual

    frames = rate("frameRate", _USUAL_FRAMES)
    return _Rates(frame_ms=1000 / frames, tick_ms=1000 / rate("tickRate", 1.0))


def _paragraphs(root: ET.Element) -> Iterator[ET.Element]:
    return (node for node in root.iter() if _name(node) == "p")


def _said(node: ET.Element) -> Iterator[str]:
    """Yield the words of a paragraph, a line end for each break in it."""
    yield " ".join((node.text or "").split("\n"))
    for child in node:
        if _name(child) == "br":
            yield "\n"
        else:
            yield from _said(child)
        yield " ".join((child.tail or "").split("\n"))


def _name(node: ET.Element) -> str:
    return str(node.tag).rpartition("}")[2]
