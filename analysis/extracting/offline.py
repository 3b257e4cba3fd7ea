"""Finds the places named in speech without a network: a gazetteer and heuristics of language."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from analysis.contracts import Extraction, Mention, Segment, VideoContext, Waiting
from analysis.extracting import recognising, texts
from analysis.extracting.recognising import Anchors
from analysis.extracting.spans import Span
from analysis.extracting.texts import Text
from analysis.gazetteer import keeping, preparing
from analysis.gazetteer.library import Gazetteer

#: A description is what stands in the cue, at most this long.
DESCRIPTION_AT_MOST: Final = 200
_VIDEOS_REMEMBERED: Final = 8


class OfflineExtractor:
    """The extractor that needs no network and no key; costs no tokens."""

    def __init__(
        self,
        opened: Callable[[], Gazetteer] = keeping.gazetteer,
        *,
        ready: Callable[[Waiting], None] = preparing.wait,
    ) -> None:
        self._opened, self._ready = opened, ready
        self._anchors = lru_cache(maxsize=_VIDEOS_REMEMBERED)(self._anchors_of)

    def prepare(self, told: Waiting) -> None:
        """Wait for the gazetteer, where it is still being compiled."""
        self._ready(told)

    def extract(self, chunk: Sequence[Segment], video: VideoContext) -> Extraction:
        """Return the places that the cues of ``chunk`` name, in the order spoken."""
        if not chunk:
            return Extraction(())
        text = texts.of_segments(chunk)
        found = recognising.recognise(text, self._opened(), self._anchors(video))
        return Extraction(tuple(_mention(text, span, chunk) for span in found))

    def _anchors_of(self, video: VideoContext) -> Anchors:
        return recognising.anchors_of(video.title, video.description, video.tags, self._opened())


def _mention(text: Text, span: Span, chunk: Sequence[Segment]) -> Mention:
    segment = chunk[text.segment_at(span.start)]
    words = " ".join(segment.text.split())
    raw = " ".join(text.text[span.start : span.end].split())
    return Mention(
        raw=raw,
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
        quote=segment.text,
        description=_around(words, raw),
        tags=(),
        country="",
        confidence=round(span.score, 3),
    )


def _around(words: str, raw: str) -> str:
    """Return the words of the cue around the name, cut at blanks to a readable length."""
    if len(words) <= DESCRIPTION_AT_MOST:
        return words
    at = max(words.find(raw), 0)
    start = max(at - DESCRIPTION_AT_MOST // 2, 0)
    cut = words[start : start + DESCRIPTION_AT_MOST]
    if start:
        cut = "…" + cut[cut.find(" ") + 1 :]
    if start + DESCRIPTION_AT_MOST < len(words):
        cut = cut[: cut.rfind(" ")] + "…" if " " in cut else cut + "…"
    return cut
