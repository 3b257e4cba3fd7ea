"""Decides what the words around a name say of it: where it lies, and of what sort it is.

"Paris, Texas", "Springfield in Illinois"; "the province of Salta", "the city of Granada".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from analysis.gazetteer import folding
from analysis.gazetteer.library import Gazetteer
from analysis.gazetteer.places import ABBREVIATION, CONTAINERS, COUNTY, REGION, Place

_LINK: Final = re.compile(r"\A\s*(?:[,，(（、]|\bin\b|的)?\s*", re.IGNORECASE)
_WORDS_AT_MOST: Final = 3
_LOOK: Final = 60
#: Sorts of what bears a name: what holds towns, or a town.
UNIT: Final = "unit"
TOWN: Final = "town"
UNITS: Final = frozenset({REGION, COUNTY})
_UNIT_WORD: Final = (
    r"(?:provinces?|states?|regions?|count(?:y|ies)|prefectures?|cantons?|departments?|governorates?|"
    r"oblasts?|districts?)"
)
_TOWN_WORD: Final = r"(?:cit(?:y|ies)|towns?|villages?)"
#: What is the capital "of Salta" is a unit, too.
_SORT_BEFORE: Final = (
    (re.compile(rf"\b(?:{_UNIT_WORD}|capital|rest|parts?) of (?:the )?\Z", re.IGNORECASE), UNIT),
    (re.compile(rf"\b{_TOWN_WORD} of \Z", re.IGNORECASE), TOWN),
)
_SORT_BEHIND: Final = (
    (re.compile(rf"\A\s+{_UNIT_WORD}\b", re.IGNORECASE), UNIT),
    (re.compile(rf"\A\s+{_TOWN_WORD}\b", re.IGNORECASE), TOWN),
)
_CJK_LOOK: Final = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """A name in the words around it, and the keys that may say where it lies."""

    raw: str
    quote: str

    def behind(self) -> Iterator[tuple[str, str]]:
        """Yield (key, as written) of the words behind each occurrence of the name."""
        for match in re.finditer(re.escape(self.raw), self.quote, re.IGNORECASE):
            rest = self.quote[match.end() : match.end() + _LOOK]
            link = _LINK.match(rest)
            rest = rest[link.end() :] if link else rest
            if folding.CJK.match(rest):
                run = folding.fold(rest)[:_CJK_LOOK]
                yield from ((run[:size], run[:size]) for size in range(2, len(run) + 1))
            words = list(folding.words(rest))[:_WORDS_AT_MOST]
            if not words or words[0].start > 0:
                continue
            for size in range(1, len(words) + 1):
                written = rest[: words[size - 1].end + 1]
                yield folding.joined([word.key for word in words[:size]]), written

    def before(self) -> Iterator[tuple[str, str]]:
        """Yield (key, as written) of the CJK characters before the name: 日本东京."""
        for match in re.finditer(re.escape(self.raw), self.quote):
            run = folding.fold(self.quote[max(match.start() - _CJK_LOOK, 0) : match.start()])
            for size in range(2, len(run) + 1):
                if folding.CJK.fullmatch(run[-size]):
                    yield run[-size:], run[-size:]


def sort_of(one: Asked) -> str:
    """Return what the words around a name say that it is: ``UNIT``, ``TOWN``, or nothing."""
    for match in re.finditer(re.escape(one.raw), one.quote, re.IGNORECASE):
        before, behind = one.quote[: match.start()], one.quote[match.end() :]
        for pattern, sort in _SORT_BEFORE:
            if pattern.search(before):
                return sort
        for pattern, sort in _SORT_BEHIND:
            if pattern.match(behind):
                return sort
    return ""


def containers(asked: list[Asked], gazetteer: Gazetteer) -> list[frozenset[str]]:
    """Return for each name the codes of the states and countries that it says it lies in."""
    told = [[*one.behind(), *one.before()] for one in asked]
    places = gazetteer.places({key for pairs in told for key, _ in pairs})
    return [_codes(pairs, places) for pairs in told]


def _codes(pairs: list[tuple[str, str]], places: dict[str, list[Place]]) -> frozenset[str]:
    codes = set()
    for key, written in pairs:
        for place in places.get(key, ()):
            if place.kind not in CONTAINERS or not place.code:
                continue
            letters = written.strip(" ,")
            if place.rank == ABBREVIATION and not (letters.endswith(".") or letters.isupper()):
                continue
            codes.add(place.code)
    return frozenset(codes)
