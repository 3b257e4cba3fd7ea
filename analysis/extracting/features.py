"""Describes a span by numbers: its name, its places, the words around it, the text as a whole."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from analysis.extracting import cues
from analysis.extracting.spans import Span
from analysis.extracting.texts import Text
from analysis.gazetteer import demonyms
from analysis.gazetteer.places import (
    ALTERNATE,
    CONTAINERS,
    CONTINENT,
    COUNTRY,
    COUNTY,
    REGION,
    SETTLEMENTS,
    WordFacts,
)

Features = dict[str, float]
_WEIGHT_SCALE: Final = 7.0
_HOMONYMS: Final = 10
#: What makes a word of the dictionary a name: "turkey" is food but for these.
_CUES: Final = (
    "after_in",
    "after_to",
    "after_go",
    "kind_of",
    "cued_elsewhere",
    "anchored",
    "before_its_whole",
    "after_its_part",
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the whole text tells of each of its spans.

    Attributes:
        facts: of each word.
        countries: share of each country in what the text surely names.
        counts: how often each key occurs.
        cued: keys that stand somewhere behind "in" and the like.
        anchors: keys in the video's title, description and tags.
        at: spans by their first and by their last word.
    """

    facts: dict[str, WordFacts]
    countries: dict[str, float]
    counts: Counter[str]
    cued: frozenset[str]
    anchors: frozenset[str]
    starting: dict[int, list[Span]]
    ending: dict[int, list[Span]]


def survey(
    text: Text,
    spans: Sequence[Span],
    facts: dict[str, WordFacts],
    *,
    anchors: frozenset[str],
    countries: dict[str, float],
) -> Surroundings:
    """Return what ``text`` tells of its spans; ``countries``: votes that the title gives."""
    starting: dict[int, list[Span]] = defaultdict(list)
    ending: dict[int, list[Span]] = defaultdict(list)
    for span in spans:
        if span.places:
            starting[span.first].append(span)
            ending[span.last].append(span)
    cued = {span.key for span in spans if span.first and text.words[span.first - 1].key in cues.IN}
    return Surroundings(
        facts,
        _vote(text, spans, facts, countries),
        Counter(span.key for span in spans),
        frozenset(cued),
        anchors,
        starting,
        ending,
    )


def _vote(
    text: Text, spans: Sequence[Span], facts: dict[str, WordFacts], start: dict[str, float]
) -> dict[str, float]:
    votes: dict[str, float] = defaultdict(float, start)
    for key in {span.key: span for span in spans if span.places}.values():
        best = key.places[0]
        single = facts.get(key.key)
        if not best.country or (single and (single.in_dictionary or single.zipf > 5)):  # noqa: PLR2004 -- ordinary
            continue
        votes[best.country] += 3.0 if best.kind == COUNTRY else math.log10(best.weight + 10) / 4
    for word in text.words:
        country = demonyms.countries().get(word.key)
        if country:
            votes[country] += 0.5
    total = sum(votes.values()) or 1.0
    return {country: share / total for country, share in votes.items()}


def describe(text: Text, span: Span, around: Surroundings) -> Features:
    """Return the features of ``span``; a missing one is 0."""
    found: Features = {"bias": 1.0}
    _name(found, text, span, around)
    _places(found, span, around)
    _before(found, text, span, around)
    _behind(found, text, span, around)
    if text.cased:
        _capitals(found, text, span)
    if found.get("dictionary") and not any(found.get(cue) for cue in _CUES):
        found["dictionary_uncued"] = 1.0
    person = max(found.get("given_often", 0.0), found.get("surname_often", 0.0))
    if person and any(found.get(cue) for cue in ("after_in", "on_the_way", "after_go")):
        found["person_cued"] = person
    return {name: value for name, value in found.items() if value}


def _name(found: Features, text: Text, span: Span, around: Surroundings) -> None:
    keys = [text.words[at].key for at in range(span.first, span.last + 1)]
    facts = [around.facts[key] for key in keys]
    rarest = min(fact.zipf for fact in facts)
    if len(keys) == 1:
        fact = facts[0]
        found["one"] = 1.0
        found["zipf"] = fact.zipf / 5
        found["dictionary"] = float(fact.in_dictionary)
        found["dictionary_zipf"] = fact.zipf / 5 if fact.in_dictionary else 0.0
        found["zipf_4"] = float(fact.zipf > 4)  # noqa: PLR2004 -- as named
        found["zipf_5"] = float(fact.zipf > 5)  # noqa: PLR2004 -- as named
        found["given"] = float(fact.given > 0)
        found["given_often"] = min(fact.given * 10, 1.0)
        found["surname"] = float(fact.surname > 0)
        found["surname_often"] = min(fact.surname * 20, 1.0)
        found["short"] = float(len(span.key) < 4)  # noqa: PLR2004 -- as named
    else:
        found["three"] = float(len(keys) > 2)  # noqa: PLR2004 -- as named
        found["all_in_dictionary"] = float(all(fact.in_dictionary for fact in facts))
        found["rarest"] = rarest / 5
        found["first_given"] = float(facts[0].given > 0.01)  # noqa: PLR2004 -- a common name
        found["last_surname"] = float(facts[-1].surname > 0.01)  # noqa: PLR2004 -- a common name
    found["repeated"] = min(around.counts[span.key] - 1, 3) / 3
    found["cued_elsewhere"] = float(span.key in around.cued)
    found["anchored"] = float(span.key in around.anchors)


def _places(found: Features, span: Span, around: Surroundings) -> None:
    if not span.places:
        found["unlisted"] = 1.0
        return
    best = span.places[0]
    heaviest = max(place.weight for place in span.places)
    found["weight"] = math.log10(heaviest + 1) / _WEIGHT_SCALE
    found["large"] = float(heaviest >= 1_000_000)  # noqa: PLR2004 -- as named
    found["small"] = float(heaviest < 10_000)  # noqa: PLR2004 -- as named
    found["alternate"] = float(best.rank >= ALTERNATE)
    found["abbreviation"] = float(best.rank > ALTERNATE)
    kinds = {place.kind for place in span.places}
    found["country"] = float(COUNTRY in kinds and best.kind in {COUNTRY, REGION})
    found["region"] = float(REGION in kinds)
    found["county"] = float(best.kind == COUNTY)
    found["continent"] = float(best.kind == CONTINENT)
    found["other_kind"] = float(best.kind not in CONTAINERS | SETTLEMENTS)
    found["homonyms"] = min(len(span.places), _HOMONYMS) / _HOMONYMS
    share = max(around.countries.get(place.country, 0.0) for place in span.places)
    found["in_country"] = share
    found["in_country_some"] = float(share > 0.15)  # noqa: PLR2004 -- a share that counts


def _before(found: Features, text: Text, span: Span, around: Surroundings) -> None:
    if not span.first:
        return
    at = span.first - 1
    before = text.words[at].key
    if text.begins[span.first]:
        found["after_stop"] = 1.0
        return
    gap = text.between(at, span.first)
    found["after_in"] = float(before in cues.IN)
    found["after_to"] = float(before in cues.TO)
    found["after_of"] = float(before in cues.OF)
    found["after_go"] = float(before in cues.GO)
    found["after_the"] = float(before == "the" and not span.key.startswith("the "))
    found["after_determiner"] = float(before in cues.DETERMINERS)
    found["after_title"] = float(before in cues.TITLES)
    found["after_comma"] = float("," in gap)
    found["after_and"] = float(before in {"and", "or"})
    fact = around.facts[before]
    is_name = fact.given > 0 and (text.is_capital(at) or not text.cased) and "," not in gap
    found["after_given"] = float(is_name)
    found["after_given_rare"] = float(is_name and not fact.in_dictionary)
    if at and before in cues.IN | cues.TO and not text.begins[at]:
        found["on_the_way"] = float(text.words[at - 1].key in cues.MOTION)
    if at and before == "of":
        found["kind_of"] = float(text.words[at - 1].key in cues.KIND_OF)
        is_of = text.words[at - 1].key in cues.ORGANISATIONS_OF
        found["organisation_of"] = float(is_of and (text.is_capital(at - 1) or not text.cased))
    holds = any(_holds(other, span) for other in around.ending.get(at, ()))
    found["after_its_part"] = float(holds)


def _behind(found: Features, text: Text, span: Span, around: Surroundings) -> None:
    at = span.last + 1
    if at >= len(text.words) or text.begins[at]:
        found["before_stop"] = 1.0
        return
    behind = text.words[at].key
    gap = text.between(span.last, at)
    found["possessive"] = float("s" in gap.lower())
    found["before_comma"] = float("," in gap)
    found["before_place_noun"] = float(behind in cues.PLACE_NOUNS)
    found["before_organisation"] = float(behind in cues.ORGANISATION_NOUNS)
    found["before_saying"] = float(behind in cues.SAYING)
    found["before_hyphen"] = float(gap == "-")
    fact = around.facts[behind]
    glued = gap.strip() == ""
    found["before_surname"] = float(
        glued and fact.surname > 0 and (text.is_capital(at) or not text.cased)
    )
    found["before_rare"] = float(glued and not text.cased and fact.zipf < 3)  # noqa: PLR2004 -- a name
    found["before_its_whole"] = float(
        any(_holds(span, other) for other in around.starting.get(at, ()))
    )


def _holds(inner: Span, outer: Span) -> bool:
    """Tell whether some place called ``inner`` lies in a state or country called ``outer``."""
    codes = {place.code for place in outer.places if place.code and place.kind in CONTAINERS}
    if not codes:
        return False
    return any(
        codes.intersection(place.within) and place.code not in codes for place in inner.places
    )


def _capitals(found: Features, text: Text, span: Span) -> None:
    raw = text.text[span.start : span.end]
    found["cased_begin"] = float(text.begins[span.first])
    found["cased_all"] = float(raw.isupper() and len(raw) > 3)  # noqa: PLR2004 -- no abbreviation
    found["cased_short"] = float(raw.isupper() and len(raw) <= 3)  # noqa: PLR2004 -- abbreviation
    before, behind = span.first - 1, span.last + 1
    if before >= 0 and not text.begins[span.first] and not text.between(before, span.first).strip():
        found["after_capital"] = float(text.is_capital(before))
    if behind < len(text.words) and not text.begins[behind]:
        glued = text.between(span.last, behind).strip() == ""
        found["before_capital"] = float(glued and text.is_capital(behind))
