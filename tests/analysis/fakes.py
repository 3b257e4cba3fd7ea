"""An extractor and a geocoder as the phases know them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.contracts import (
    Extraction,
    Located,
    Mention,
    Segment,
    StrategyInputs,
    Unlocated,
    VideoContext,
    Waiting,
)


@dataclass
class Finder:
    """An extractor."""

    outside: Any
    inputs: StrategyInputs

    def prepare(self, told: Waiting) -> None:
        self.outside.before_asking(told)

    def extract(self, chunk: Sequence[Segment], video: VideoContext) -> Extraction:
        found: Extraction = self.outside.extract(chunk, self.inputs)
        return found


@dataclass
class Locator:
    """A geocoder."""

    outside: Any
    inputs: StrategyInputs

    def prepare(self, told: Waiting) -> None:
        self.outside.before_asking(told)

    def locate(
        self, mentions: Sequence[Mention], video: VideoContext
    ) -> Iterator[Located | Unlocated]:
        yield from self.outside.locate(mentions)
