"""The plain look-up that ours is measured against: every longest name, the largest place of it.

It is as good as one is without looking at the words around: towns of 15,000 people and more, states,
countries and our travel gazetteer; no word that an English dictionary has.
"""

from typing import Final

from analysis.extracting import recognising, spans
from analysis.extracting.features import Features
from analysis.extracting.spans import Span
from analysis.extracting.texts import Text
from analysis.gazetteer import folding
from analysis.gazetteer.library import Gazetteer
from analysis.gazetteer.places import COUNTY, SETTLEMENTS, Place

_PEOPLE_FROM: Final = 15_000


def recognise(text: Text, gazetteer: Gazetteer) -> list[Span]:
    """Return the longest runs of words (with capitals, where the text has them) that name a place."""
    offered = [span for span in spans.find(text, gazetteer) if _is_known(span.places)]
    facts = gazetteer.words({span.key for span in offered})
    listed: list[tuple[Span, Features]] = [
        (span, {}) for span in offered if not facts[span.key].in_dictionary
    ]
    found = recognising.choose(listed, lambda _: 1.0, threshold=0.5)
    return sorted([*found, *_chinese(text, gazetteer)], key=lambda span: span.start)


def _is_known(places: list[Place]) -> bool:
    return any(
        place.weight >= _PEOPLE_FROM or place.kind not in SETTLEMENTS | {COUNTY} for place in places
    )


def _chinese(text: Text, gazetteer: Gazetteer) -> list[Span]:
    found = []
    for match in folding.CJK_RUN.finditer(text.text):
        run, at = folding.fold(match.group()), 0
        ends = {
            start: [run[start:end] for end in range(start + 2, min(start + 12, len(run)) + 1)]
            for start in range(len(run))
        }
        known = gazetteer.known({key for keys in ends.values() for key in keys})
        while at < len(run):
            key = max((key for key in ends[at] if key in known), key=len, default="")
            if key:
                start = match.start() + at
                found.append(Span(-1, -1, start, start + len(key), key))
            at += len(key) or 1
    return found


def locate(keys: list[str], gazetteer: Gazetteer) -> list[Place | None]:
    """Return the largest place of each name."""
    places = gazetteer.places(set(keys))
    return [max(places.get(key, ()), key=lambda place: place.weight, default=None) for key in keys]
