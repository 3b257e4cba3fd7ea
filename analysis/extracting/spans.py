"""Finds every run of words that may name a place; which of them do is decided elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from analysis.extracting import cues
from analysis.extracting.texts import Text
from analysis.gazetteer import demonyms, folding
from analysis.gazetteer.library import Gazetteer
from analysis.gazetteer.places import ABBREVIATION, Place

WORDS_AT_MOST: Final = 6
#: What may stand between the words of one name.
_GLUE: Final = frozenset(" \n-‐‑'’./")


@dataclass(slots=True)
class Span:
    """Words ``first`` to ``last`` (inclusive) that may name a place.

    Attributes:
        places: what the gazetteer has under this name, the most important first; none for a name
            that only looks like a place ("Hertford Road").
    """

    first: int
    last: int
    start: int
    end: int
    key: str
    places: list[Place] = field(default_factory=list)
    score: float = 0.0

    @property
    def length(self) -> int:
        """Number of words."""
        return self.last - self.first + 1


def find(text: Text, gazetteer: Gazetteer) -> list[Span]:
    """Return all spans of ``text`` that a gazetteer has, and those that look like a place's name."""
    spans = [span for span in _runs(text) if _may_be(text, span)]
    known = gazetteer.known({span.key for span in spans})
    spans = [span for span in spans if span.key in known]
    places = gazetteer.places({span.key for span in spans})
    found = []
    for span in spans:
        span.places = [one for one in places[span.key] if _fits(text, span, one)]
        if span.places:
            found.append(span)
    taken = {(span.first, span.last) for span in found}
    return found + [span for span in _looks(text) if (span.first, span.last) not in taken]


def _runs(text: Text) -> Iterator[Span]:
    words = text.words
    for first, word in enumerate(words):
        keys = [word.key]
        for last in range(first, min(first + WORDS_AT_MOST, len(words))):
            if last > first:
                gap = text.between(last - 1, last)
                if len(gap) > 2 or not _GLUE.issuperset(gap):  # noqa: PLR2004 -- ". "
                    break
                if ". " in gap and len(words[last - 1].key) > 3:  # noqa: PLR2004 -- "St. ", "Ft. "
                    break
                keys.append(words[last].key)
            yield Span(first, last, word.start, words[last].end, folding.joined(keys))


@cache
def _never() -> frozenset[str]:
    return cues.NEVER.union(demonyms.countries())


def _may_be(text: Text, span: Span) -> bool:
    if len(span.key) < 2 or span.key.isdigit() or span.key in _never():  # noqa: PLR2004
        return False
    if not text.cased:
        if span.key.startswith("the ") and (span.key[4].isdigit() or span.key[4:] in _never()):
            return False  # "the 3rd", "the city"
        return span.length == 1 or text.words[span.first].key not in cues.FUNCTION_WORDS
    return text.is_capital(span.first) and text.is_capital(span.last)


def _fits(text: Text, span: Span, place: Place) -> bool:
    """Tell whether an abbreviation is written as one: "us" is no country."""
    if place.rank != ABBREVIATION:
        return True
    raw = text.text[span.start : span.end]
    if not text.cased:
        return span.key in cues.SPOKEN_SHORT or (raw.isupper() and "." in raw)
    return raw.isupper() or text.text[span.end : span.end + 1] == "."


def _looks(text: Text) -> Iterator[Span]:
    """Yield capitalised runs with the head of a place's name."""
    if not text.cased:
        return
    at = 0
    while at < len(text.words):
        last = at
        while last + 1 < len(text.words) and _goes_on(text, last):
            last += 1
        if last > at and text.is_capital(at):
            yield from _headed(text, at, last)
        at = last + 1


def _goes_on(text: Text, at: int) -> bool:
    return (
        text.is_capital(at)
        and text.is_capital(at + 1)
        and not text.begins[at + 1]
        and text.between(at, at + 1) in {" ", "-", ". ", "\n"}
    )


def _headed(text: Text, first: int, last: int) -> Iterator[Span]:
    keys = [text.words[at].key for at in range(first, last + 1)]
    for number, key in enumerate(keys):
        at = first + number
        start = first if keys[0] not in {"the", "a", "at", "in", "on"} else first + 1
        if key in cues.HEADS and at > start:
            yield _span(text, start, at)
        elif key in cues.HEADS_FIRST and at < last:
            yield _span(text, at, at + 1)


def _span(text: Text, first: int, last: int) -> Span:
    keys = [text.words[at].key for at in range(first, last + 1)]
    return Span(first, last, text.words[first].start, text.words[last].end, folding.joined(keys))
