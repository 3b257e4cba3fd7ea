"""What of a cue's text is said: without tags, styles, entities and double blanks."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_TAG: Final = re.compile(r"<(?:/?[A-Za-z][^<>]*|\d{1,3}:\d\d[^<>]*|/)>")
_STYLE: Final = re.compile(r"\{\\[^}]*\}")
_BLANKS: Final = re.compile(r"[^\S\n]+")


@dataclass(frozen=True, slots=True)
class Cue:
    """One cue: its time, and its lines as shown one above the other."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


def cleaned(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the lines that say something, without what only tells how they look."""
    found: list[str] = []
    for line in lines:
        bare = _STYLE.sub("", _TAG.sub("", line))
        words = _BLANKS.sub(" ", html.unescape(bare)).strip()
        if words:
            found.extend(part.strip() for part in words.split("\n") if part.strip())
    return tuple(found)
