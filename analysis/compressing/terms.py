"""What a sentence is about: its terms, and what in it smells of a place."""

import re
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_WIDE: Final = re.compile("[\u2e80-\u9fff\uf900-\ufaff\u3040-\u30ff\u0e00-\u0eff\u1000-\u109f]+")
#: Languages that begin every noun with a capital: a capital tells nothing there.
_CAPITALS_EVERYWHERE: Final = frozenset({"de", "lb"})
_SHORTEST: Final = 3
#: Words that stand beside places in speech, lower case as automatic captions are.
_NEAR_PLACES: Final = frozenset(
    [
        "airport",
        "alley",
        "avenue",
        "bay",
        "beach",
        "border",
        "bridge",
        "cafe",
        "canyon",
        "castle",
        "cathedral",
        "cave",
        "church",
        "city",
        "coast",
        "district",
        "ferry",
        "festival",
        "forest",
        "fort",
        "garden",
        "glacier",
        "harbour",
        "hill",
        "hostel",
        "hotel",
        "island",
        "islands",
        "lake",
        "lighthouse",
        "market",
        "metro",
        "monastery",
        "mosque",
        "mount",
        "mountain",
        "mountains",
        "museum",
        "neighborhood",
        "palace",
        "park",
        "pass",
        "peak",
        "peninsula",
        "pier",
        "plaza",
        "port",
        "province",
        "region",
        "restaurant",
        "river",
        "road",
        "ruins",
        "shrine",
        "square",
        "station",
        "street",
        "summit",
        "temple",
        "tower",
        "town",
        "trail",
        "train",
        "valley",
        "viewpoint",
        "village",
        "volcano",
        "waterfall",
        "arrived",
        "arrive",
        "arriving",
        "visit",
        "visiting",
        "visited",
        "heading",
        "located",
        "drive",
        "drove",
        "flew",
    ]
)
_COMMON: Final = frozenset(
    [
        "about",
        "after",
        "again",
        "all",
        "also",
        "and",
        "any",
        "are",
        "because",
        "been",
        "before",
        "being",
        "but",
        "can",
        "could",
        "did",
        "does",
        "doing",
        "don",
        "for",
        "from",
        "get",
        "going",
        "gonna",
        "good",
        "got",
        "had",
        "has",
        "have",
        "here",
        "how",
        "into",
        "its",
        "just",
        "know",
        "let",
        "like",
        "little",
        "look",
        "lot",
        "make",
        "more",
        "much",
        "not",
        "now",
        "off",
        "okay",
        "one",
        "only",
        "other",
        "our",
        "out",
        "over",
        "people",
        "pretty",
        "really",
        "right",
        "said",
        "say",
        "see",
        "should",
        "some",
        "something",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "thing",
        "things",
        "this",
        "those",
        "time",
        "too",
        "try",
        "very",
        "want",
        "was",
        "way",
        "well",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "will",
        "with",
        "would",
        "yeah",
        "yes",
        "you",
        "your",
    ]
)
_WIDE_PLACES: Final = re.compile(
    "[市縣县區区鎮镇鄉乡村里町都府省州島岛山岳嶽湖海河川江溪谷灣湾港寺廟庙宮宫神社城門门塔橋桥街路站駅車站夜市公園公园博物館馆瀑布溫泉温泉]"
)


@lru_cache(maxsize=8192)
def _pairs(run: str) -> tuple[str, ...]:
    return tuple(run[at : at + 2] for at in range(len(run) - 1)) or (run,)


def terms_of(text: str) -> list[str]:
    """Return the words that say something, and pairs of signs where words have no blanks."""
    found = [
        word
        for word in map(str.casefold, _WORD.findall(_WIDE.sub(" ", text)))
        if len(word) >= _SHORTEST and word not in _COMMON
    ]
    for run in _WIDE.findall(text):
        found.extend(_pairs(run))
    return found


def place_hints(text: str, *, language: str, has_case: bool) -> int:
    """Return how much in a sentence hints at places: capitals inside it, words near places.

    Args:
        text: the sentence.
        language: its code; where every noun has a capital, capitals don't count.
        has_case: whether the transcript uses capitals as print does.
    """
    hints = len(_WIDE_PLACES.findall(text))
    words = _WORD.findall(text)
    hints += sum(word.casefold() in _NEAR_PLACES for word in words)
    if has_case and language.partition("-")[0] not in _CAPITALS_EVERYWHERE:
        hints += sum(2 for word in words[1:] if word[0].isupper() and len(word) >= _SHORTEST)
    return hints


def uses_case(texts: list[str]) -> bool:
    """Say whether capitals mean something: not where nearly all or nearly no words have them."""
    words = [word for text in texts[:500] for word in _WORD.findall(text)]
    part = sum(word[0].isupper() for word in words) / max(1, len(words))
    return bool(0.02 <= part <= 0.5)  # noqa: PLR2004 -- print has some 15 in a hundred
