"""Finds places in Chinese and Japanese, where no blanks part the words.

A run is cut into the likeliest words (names of places among them), as segmenters do; then a name
counts if it is no ordinary word, or is well enough known, or stands behind "到", "在", before "に".
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from analysis.extracting.spans import Span
from analysis.extracting.texts import Text
from analysis.gazetteer import folding
from analysis.gazetteer.library import Gazetteer
from analysis.gazetteer.places import (
    ALTERNATE,
    CONTAINERS,
    SETTLEMENTS,
    UNKNOWN_WORD,
    Place,
    WordFacts,
)

LONGEST: Final = 12
_UNKNOWN_CHARACTER: Final = -14.0
_LOG_10: Final = math.log(10)
#: Zipf frequency 0 is one in 10⁹ words.
_ZIPF_ZERO: Final = 9.0
_BEFORE: Final = (
    "来到",
    "到达",
    "抵达",
    "前往",
    "位于",
    "去",
    "到",
    "在",
    "往",
    "从",
    "逛",
    "游",
    "离开",
    "飞",
    "住",
)
_BEHIND: Final = (
    "に行",
    "へ",
    "に",
    "で",
    "から",
    "まで",
    "の",
    "旅",
    "市",
    "县",
    "区",
    "站",
    "驿",
    "夜市",
    "车站",
    "机场",
    "老街",
    "自由行",
    "景点",
    "附近",
    "观光",
)
_SHORT: Final = 2
_ENOUGH: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    key: str
    places: list[Place]


def recognise(text: Text, gazetteer: Gazetteer, anchors: frozenset[str]) -> list[Span]:
    """Return the places named in the Chinese and Japanese runs of ``text``, in order."""
    runs = [(match.start(), match.group()) for match in folding.CJK_RUN.finditer(text.text)]
    if not runs:
        return []
    keys = {key for _, run in runs for _, _, key in _parts(folding.fold(run))}
    names = {key for key in gazetteer.known(keys) if _may_be(key)}
    facts = gazetteer.words(keys)
    places = gazetteer.places(names)
    votes = _votes(places, facts)
    found = []
    for start, run in runs:
        for piece in _cut(folding.fold(run), places, facts):
            score = _score(piece, folding.fold(run), facts, (anchors, votes))
            if piece.places and score >= _ENOUGH:
                begin, end = start + piece.start, start + piece.end
                found.append(Span(-1, -1, begin, end, piece.key, piece.places, score))
    return found


def _parts(run: str) -> Iterator[tuple[int, int, str]]:
    for start in range(len(run)):
        for end in range(start + 1, min(start + LONGEST, len(run)) + 1):
            yield start, end, run[start:end]


def _may_be(key: str) -> bool:
    is_kana = all("ぁ" <= letter <= "ヿ" for letter in key)
    return len(key) > (_SHORT if is_kana else 1)


def _votes(places: dict[str, list[Place]], facts: dict[str, WordFacts]) -> dict[str, float]:
    """Return each country's share among the longer names of the text."""
    votes: dict[str, float] = {}
    for key, found in places.items():
        if len(key) > _SHORT or facts.get(key, UNKNOWN_WORD).zipf > 3:  # noqa: PLR2004 -- well known
            votes[found[0].country] = votes.get(found[0].country, 0.0) + 1
    total = sum(votes.values()) or 1.0
    return {country: count / total for country, count in votes.items()}


def _cut(run: str, places: dict[str, list[Place]], facts: dict[str, WordFacts]) -> Iterator[_Piece]:
    """Yield the likeliest pieces of a run (the best sum of log frequencies)."""
    best: list[tuple[float, int]] = [(0.0, 0)] + [(-math.inf, 0)] * len(run)
    for start, end, key in _parts(run):
        value = best[start][0] + _worth(key, places.get(key), facts.get(key, UNKNOWN_WORD))
        if value > best[end][0]:
            best[end] = (value, start)
    ends, end = [], len(run)
    while end:
        ends.append(end)
        end = best[end][1]
    start = 0
    for end in reversed(ends):
        key = run[start:end]
        yield _Piece(start, end, key, places.get(key, []))
        start = end


def _worth(key: str, places: list[Place] | None, fact: WordFacts) -> float:
    """Return the log of how often a piece occurs; an unknown one pays for each character."""
    zipf = fact.zipf
    if places:
        known = 1.0 + math.log10(max(place.weight for place in places) + 10) / 2
        if places[0].rank < ALTERNATE:
            known += 1.0
        zipf = max(zipf, min(known, 4.5))
    if zipf > 0:
        return (zipf - _ZIPF_ZERO) * _LOG_10
    return _UNKNOWN_CHARACTER * len(key) - 4.0


def _score(
    piece: _Piece,
    run: str,
    facts: dict[str, WordFacts],
    told: tuple[frozenset[str], dict[str, float]],
) -> float:
    """Return how surely a piece names a place, 0 to 1."""
    if not piece.places:
        return 0.0
    anchors, votes = told
    best = max(piece.places, key=lambda place: place.weight)
    score = 0.12 * math.log10(best.weight + 10) - 0.25
    score += 0.2 * min(len(piece.key) - _SHORT, 3)
    if best.kind in CONTAINERS and best.kind not in SETTLEMENTS:
        score += 0.2
    if piece.places[0].rank < ALTERNATE:
        score += 0.3
    if piece.key in anchors:
        score += 0.4
    score += 0.4 * max(votes.get(place.country, 0.0) for place in piece.places)
    if run[: piece.start].endswith(_BEFORE):
        score += 0.25
    if run[piece.end :].startswith(_BEHIND):
        score += 0.1
    zipf = facts.get(piece.key, UNKNOWN_WORD).zipf
    surprise = zipf - 0.6 * math.log10(best.weight + 10) - 1.0
    return max(0.0, min(1.0, score - 0.5 * max(surprise, 0.0)))
