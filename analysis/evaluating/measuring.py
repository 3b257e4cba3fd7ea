"""Counts what was found against what was labelled: precision, recall, F1, and kilometres."""

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from analysis.contracts import Located, Mention, VideoContext
from analysis.evaluating import baseline
from analysis.evaluating.corpora import Corpus, Document, Label
from analysis.extracting import recognising, texts
from analysis.gazetteer import demonyms, folding
from analysis.gazetteer.library import Gazetteer
from analysis.geocoding.distances import km
from analysis.geocoding.offline import OfflineGeocoder

#: The distance within which the literature calls a place found: a hundred miles.
NEAR_KM: Final = 161.0
_AROUND: Final = 90
_PUNCTUATION: Final = re.compile(r"[.,;:!?\"“”()\[\]]")


@dataclass(slots=True)
class Counts:
    """Hits and misses: ``exact`` by the same characters, ``overlap`` by any in common."""

    labels: int = 0
    found: int = 0
    exact: int = 0
    right: int = 0
    recalled: int = 0

    def add(self, other: "Counts") -> None:
        """Add those of another text."""
        self.labels += other.labels
        self.found += other.found
        self.exact += other.exact
        self.right += other.right
        self.recalled += other.recalled

    def figures(self) -> dict[str, float]:
        """Return precision, recall and F1 by overlap, and F1 of exact matches."""
        precision = self.right / self.found if self.found else 0.0
        recall = self.recalled / self.labels if self.labels else 0.0
        return {
            "precision": round(precision, 3),
            "recall": round(recall, 3),
            "f1": round(_f1(precision, recall), 3),
            "f1_exact": round(2 * self.exact / ((self.found + self.labels) or 1), 3),
        }


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def count(found: Sequence[tuple[int, int]], document: Document, *, peoples: bool) -> Counts:
    """Count what was found in one text.

    Args:
        found: (start, end) of each name.
        document: with its labels.
        peoples: words for peoples ("Turkish") that are labelled count too; without, neither way.
    """
    all_labels = document.labels
    wanted = [label for label in all_labels if peoples or not is_people(label)]
    spared = [label for label in all_labels if not peoples and is_people(label)]
    counts = Counts(labels=len(wanted) + document.lost)
    exact = {(label.start, label.end) for label in wanted}
    for span in found:
        if any(_meets(span, label) for label in wanted):
            counts.right += 1
        elif any(_meets(span, label) for label in spared):
            continue
        counts.found += 1
        counts.exact += span in exact
    counts.recalled = sum(1 for label in wanted if any(_meets(span, label) for span in found))
    return counts


def is_people(label: Label) -> bool:
    """Tell whether a label is a word for a people, not a name ("Turkish")."""
    return folding.key_of(label.text) in demonyms.countries()


def _meets(span: tuple[int, int], label: Label) -> bool:
    return span[0] < label.end and label.start < span[1]


def as_speech(text: str) -> str:
    """Return ``text`` as automatic captions have it: lower case, no stops; as long as before."""
    lowered = "".join(one.lower() if len(one.lower()) == 1 else one for one in text)
    return _PUNCTUATION.sub(" ", lowered)


@dataclass(slots=True)
class Distances:
    """How far from the labels names were put on the map, km; None: nowhere."""

    apart: list[float | None] = field(default_factory=list)

    def figures(self) -> dict[str, float | int | None]:
        """Return the share within 161 km of all and of those located, and the median."""
        located = [one for one in self.apart if one is not None]
        near = sum(1 for one in located if one <= NEAR_KM)
        return {
            "labels": len(self.apart),
            "located": len(located),
            "within_161_km": round(near / len(self.apart), 3) if self.apart else 0.0,
            "within_161_km_of_located": round(near / len(located), 3) if located else 0.0,
            "median_km": round(statistics.median(located), 1) if located else None,
            "mean_km": round(statistics.fmean(located), 1) if located else None,
        }


def distances(document: Document, gazetteer: Gazetteer, *, plain: bool) -> Distances:
    """Locate each label that has coordinates, by ours or by the plain look-up."""
    labels = [label for label in document.labels if label.latitude is not None]
    if plain:
        keys = [folding.key_of(label.text) for label in labels]
        points = [
            (place.latitude, place.longitude) if place else None
            for place in baseline.locate(keys, gazetteer)
        ]
    else:
        points = _ours(document, labels, gazetteer)
    found = Distances()
    for label, point in zip(labels, points, strict=True):
        there = (label.latitude or 0.0, label.longitude or 0.0)
        found.apart.append(km(point, there) if point else None)
    return found


def _ours(
    document: Document, labels: Sequence[Label], gazetteer: Gazetteer
) -> list[tuple[float, float] | None]:
    mentions = [
        Mention(
            raw=label.text,
            start_ms=label.start,
            end_ms=label.end,
            quote=document.text[max(label.start - _AROUND, 0) : label.end + _AROUND],
        )
        for label in labels
    ]
    video = VideoContext(document.name, document.title, language=document.language)
    answers = OfflineGeocoder(lambda: gazetteer).locate(mentions, video)
    return [
        (answer.latitude, answer.longitude) if isinstance(answer, Located) else None
        for answer in answers
    ]


def found_by_ours(text: str, document: Document, gazetteer: Gazetteer) -> list[tuple[int, int]]:
    """Return where our recogniser finds names."""
    anchors = recognising.anchors_of(document.title, "", (), gazetteer)
    spans = recognising.recognise(texts.of(text), gazetteer, anchors)
    return [(span.start, span.end) for span in spans]


def found_by_baseline(text: str, document: Document, gazetteer: Gazetteer) -> list[tuple[int, int]]:
    """Return where the plain look-up does."""
    _ = document
    return [(span.start, span.end) for span in baseline.recognise(texts.of(text), gazetteer)]


def coverage(corpus: Corpus, gazetteer: Gazetteer) -> dict[str, float | int | None]:
    """Return how many of a list of named places are known, and how far off by name alone."""
    keys = [[folding.key_of(name) for name in one.names] for one in corpus.features]
    places = gazetteer.places({key for names in keys for key in names})
    found = Distances()
    for one, names in zip(corpus.features, keys, strict=True):
        there = (one.latitude, one.longitude)
        apart = [
            km((place.latitude, place.longitude), there)
            for key in names
            for place in places.get(key, ())
        ]
        found.apart.append(min(apart, default=None))
    return found.figures()
