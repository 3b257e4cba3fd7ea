"""Which sentences are kept: the telling ones, each saying what the others did not.

TF-IDF over the video's own sentences, more for hints of places and for what is said the first
time; then sentences are taken greedily, each one's worth less by what those taken already cover
(maximal marginal relevance, with a heap: a worth only falls, so it is worked out anew only at the top).
"""

import heapq
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from analysis.compressing import terms
from analysis.compressing.merging import merge, weight
from analysis.contracts import Segment

Progress = Callable[[int, int], None]

#: Share of a sentence's worth that repetition can take from it.
_REPETITION: Final = 0.7
_PLACE_BONUS: Final = 0.35
_MOST_HINTS: Final = 6
_NOVELTY_BONUS: Final = 0.5
#: So much of every transcript is kept, letters: some two minutes of speech need no shortening.
FLOOR: Final = 1_500
#: A shorter sentence is worth no more per letter for being short.
_SHORTEST: Final = 40
_STEP: Final = 100


@dataclass(slots=True)
class _Sentence:
    """A sentence with the worth of its terms."""

    segment: Segment
    worths: dict[str, float] = field(default_factory=dict)
    total: float = 0.0
    bonus: float = 1.0


def _unheard(_done: int, _total: int) -> None:
    """Tell nobody."""


def compress(
    segments: Sequence[Segment],
    *,
    ratio: float,
    language: str = "",
    on_progress: Progress = _unheard,
    at_least: int = FLOOR,
) -> list[Segment]:
    """Merge cues into sentences, and keep the most telling ones in the order spoken.

    Args:
        segments: cues by their beginning, repetition removed.
        ratio: the part of the text to keep, above 0; 1 keeps everything. At least one sentence
            is kept.
        language: code of the speech; empty where it isn't known.
        on_progress: told (sentences weighed, of how many) now and then; it may raise to stop.
        at_least: so many letters are kept whatever the ratio says, where there are so many.

    Raises:
        ValueError: the ratio isn't above 0 and at most 1.
    """
    if not 0 < ratio <= 1:
        raise ValueError("the ratio lies above 0 and is at most 1")
    sentences = merge(segments)
    whole = len(sentences)
    if ratio < 1 and len(sentences) > 1:
        weighed = _weighed(sentences, language=language, on_progress=on_progress)
        kept = _chosen(weighed, ratio=ratio, at_least=at_least)
        sentences = [sentences[at] for at in sorted(kept)]
    on_progress(whole, whole)
    return sentences


def _weighed(
    sentences: Sequence[Segment], *, language: str, on_progress: Progress
) -> list[_Sentence]:
    """Return the sentences with the worth of each of their terms."""
    counts = [Counter(terms.terms_of(each.text)) for each in sentences]
    spread = Counter(term for count in counts for term in count)
    has_case = terms.uses_case([each.text for each in sentences])
    heard: set[str] = set()
    found = []
    for number, (segment, count) in enumerate(zip(sentences, counts, strict=True), start=1):
        worths = {
            term: (1 + math.log(times)) * math.log((1 + len(sentences)) / spread[term])
            for term, times in count.items()
        }
        new = sum(worth for term, worth in worths.items() if term not in heard)
        heard.update(worths)
        total = sum(worths.values())
        hints = terms.place_hints(segment.text, language=language, has_case=has_case)
        bonus = 1 + _PLACE_BONUS * min(hints, _MOST_HINTS)
        bonus += _NOVELTY_BONUS * (new / total if total else 0.0)
        found.append(_Sentence(segment, worths, total, bonus))
        if number % _STEP == 0:
            on_progress(number, len(sentences))
    return found


def _chosen(sentences: Sequence[_Sentence], *, ratio: float, at_least: int) -> set[int]:
    """Return the indexes of the sentences that together make up ``ratio`` of the text."""
    whole = sum(weight(each.segment.text) for each in sentences)
    room = max(ratio * whole, at_least)
    covered: set[str] = set()
    heap = [(-_worth(each, covered), at) for at, each in enumerate(sentences)]
    heapq.heapify(heap)
    kept: set[int] = set()
    while heap and (room > 0 or not kept):
        _, at = heapq.heappop(heap)
        worth = -_worth(sentences[at], covered)
        if heap and (worth, at) > heap[0]:
            heapq.heappush(heap, (worth, at))
            continue
        size = weight(sentences[at].segment.text)
        if kept and size > room:
            continue
        kept.add(at)
        room -= size
        covered.update(sentences[at].worths)
    return kept


def _worth(sentence: _Sentence, covered: set[str]) -> float:
    """Return a sentence's worth per length, less what was said already."""
    said = sum(worth for term, worth in sentence.worths.items() if term in covered)
    left = sentence.total - _REPETITION * said
    return sentence.bonus * left / math.sqrt(max(_SHORTEST, weight(sentence.segment.text)))
