"""Makes one text of a chunk's cues, cuts it into words, and finds back the cue of each."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from analysis.contracts import Segment
from analysis.gazetteer import folding
from analysis.gazetteer.folding import Word

#: Share of words in capitals, from which on a missing capital speaks against a name …
_CASED_FROM: Final = 0.02
#: … and up to which: text all in capitals tells nothing either.
_CASED_TO: Final = 0.6
_ENDS: Final = frozenset('.!?:;\n"“”•–—')


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a chunk: its words, and where each cue begins.

    Attributes:
        cased: whether its capitals tell names from words.
        begins: for each word, whether a sentence begins with it.
    """

    text: str
    words: tuple[Word, ...]
    begins: tuple[bool, ...]
    cased: bool
    starts: tuple[int, ...]

    def segment_at(self, offset: int) -> int:
        """Return the number of the cue that ``offset`` lies in."""
        return max(bisect_right(self.starts, offset) - 1, 0)

    def between(self, first: int, second: int) -> str:
        """Return what stands between two words."""
        return self.text[self.words[first].end : self.words[second].start]

    def is_capital(self, at: int) -> bool:
        """Tell whether word ``at`` begins with a capital."""
        return self.words[at].text[:1].isupper()


def of_segments(chunk: Sequence[Segment]) -> Text:
    """Return the text of cues, one after the other."""
    starts, parts, at = [], [], 0
    for segment in chunk:
        starts.append(at)
        parts.append(segment.text)
        at += len(segment.text) + 1
    return of("\n".join(parts), starts=tuple(starts) or (0,), broken=True)


def of(text: str, *, starts: tuple[int, ...] = (0,), broken: bool = False) -> Text:
    """Return ``text`` cut into words.

    Args:
        text: anything; Chinese and Japanese runs hold no words here.
        starts: where its cues begin.
        broken: its lines break within sentences, as those of subtitles do.
    """
    words = tuple(folding.words(text))
    begins, end = [], 0
    for word in words:
        gap = text[end : word.start]
        ends = _ENDS - {"\n"} if broken else _ENDS
        begins.append(end == 0 or not ends.isdisjoint(gap))
        end = word.end
    capitals = sum(
        1 for word, begin in zip(words, begins, strict=True) if word.text[0].isupper() and not begin
    )
    share = capitals / len(words) if words else 0.0
    return Text(text, words, tuple(begins), _CASED_FROM <= share <= _CASED_TO, starts)
