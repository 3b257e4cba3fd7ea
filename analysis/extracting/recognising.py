"""Decides which runs of words name places: a weighted vote over their features.

The weights are numbers of ``data/weights.json``, fitted over labelled texts (docs/places.md
says over what); text with capitals and speech without have their own.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from analysis.extracting import chinese, features, spans, texts
from analysis.extracting.features import Features
from analysis.extracting.spans import Span
from analysis.extracting.texts import Text
from analysis.gazetteer import demonyms
from analysis.gazetteer.library import Gazetteer
from analysis.gazetteer.places import WordFacts

CASED: Final = "cased"
SPEECH: Final = "speech"


@dataclass(frozen=True, slots=True)
class Anchors:
    """What title, description and tags tell: keys of names, and a share for each country."""

    keys: frozenset[str] = frozenset()
    countries: tuple[tuple[str, float], ...] = ()


NO_ANCHORS: Final = Anchors()


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of features, and the chance from which on a span is taken for a place."""

    weights: dict[str, float]
    threshold: float

    def chance(self, described: Features) -> float:
        """Return how likely a span with these features names a place, 0 to 1."""
        total = sum(self.weights.get(name, 0.0) * value for name, value in described.items())
        return 1 / (1 + math.exp(-max(min(total, 30.0), -30.0)))


@cache
def models() -> dict[str, Model]:
    """Return the models of ``data/weights.json``."""
    file = resources.files("analysis.extracting") / "data" / "weights.json"
    told = json.loads(file.read_text(encoding="utf-8"))
    return {name: Model(one["weights"], one["threshold"]) for name, one in told.items()}


def described(
    text: Text, gazetteer: Gazetteer, anchors: Anchors = NO_ANCHORS
) -> list[tuple[Span, Features]]:
    """Return every run of words that may name a place, with its features."""
    found = spans.find(text, gazetteer)
    facts: dict[str, WordFacts] = gazetteer.words({word.key for word in text.words})
    around = features.survey(
        text, found, facts, anchors=anchors.keys, countries=dict(anchors.countries)
    )
    return [(span, features.describe(text, span, around)) for span in found]


def recognise(text: Text, gazetteer: Gazetteer, anchors: Anchors = NO_ANCHORS) -> list[Span]:
    """Return the names of places in ``text``, in order, none over another."""
    model = models()[CASED if text.cased else SPEECH]
    found = choose(described(text, gazetteer, anchors), model.chance, threshold=model.threshold)
    return sorted([*found, *chinese.recognise(text, gazetteer, anchors.keys)], key=_start)


def choose(
    offered: Sequence[tuple[Span, Features]],
    chance: Callable[[Features], float],
    *,
    threshold: float,
) -> list[Span]:
    """Return the spans likely enough, the longest first where two overlap."""
    chosen: list[Span] = []
    taken: set[int] = set()
    for span, one in offered:
        span.score = chance(one)
    for span, _ in sorted(offered, key=lambda pair: (-pair[0].length, -pair[0].score)):
        if span.score < threshold or not taken.isdisjoint(range(span.first, span.last + 1)):
            continue
        taken.update(range(span.first, span.last + 1))
        chosen.append(span)
    return sorted(chosen, key=_start)


def _start(span: Span) -> int:
    return span.start


def anchors_of(title: str, description: str, tags: Sequence[str], gazetteer: Gazetteer) -> Anchors:
    """Return what the words around a video tell: the places they name, and their countries."""
    keys: set[str] = set()
    countries: dict[str, float] = {}
    for part, weight in ((title, 4.0), (" . ".join(tags), 2.0), (description[:5000], 1.0)):
        if not part.strip():
            continue
        text = texts.of(part)
        found = recognise(text, gazetteer)
        for span in {span.key: span for span in found if span.places}.values():
            keys.add(span.key)
            country = span.places[0].country
            if country:
                countries[country] = countries.get(country, 0.0) + weight
        for word in text.words:
            country = demonyms.countries().get(word.key, "")
            if country:
                countries[country] = countries.get(country, 0.0) + weight / 2
    return Anchors(frozenset(keys), tuple(sorted(countries.items())))
