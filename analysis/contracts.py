"""What the phases of a job hand to each other: plain values, no models, no I/O.

Times are milliseconds from the beginning of the video. Coordinates are WGS 84 degrees.

A strategy's ``model`` and ``geocode_mode`` are ``"offline"`` (``choices.OFFLINE``) for the extractor
and the geocoder that need no network. ``StrategyInputs.extra`` always holds ``language``: a code, or
empty for the video's own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Segment:
    """Some seconds of speech: one cue, or several merged."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class VideoContext:
    """What is known of a video beside its speech; anchors ambiguous names."""

    video_id: str
    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """A place that the speech names, not yet located."""

    raw: str
    start_ms: int
    end_ms: int
    quote: str
    description: str = ""
    tags: tuple[str, ...] = ()
    country: str = ""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one chunk gave: its mentions, and the tokens that it cost."""

    mentions: tuple[Mention, ...]
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Located:
    """A mention with its place on the map."""

    mention: Mention
    name: str
    longitude: float
    latitude: float
    kind: str
    marker: str
    tags: tuple[str, ...] = ()
    country: str = ""
    authority: str = ""


@dataclass(frozen=True, slots=True)
class Unlocated:
    """A mention that has no place on the map, and why; ``retryable`` when asking again may help."""

    mention: Mention
    reason: str
    retryable: bool


#: Hears what is waited for, and the share of it that is done, 0 to 1; what it raises ends the wait.
Waiting = Callable[[str, float], None]


class Extractor(Protocol):
    """Finds the places named in a chunk of speech."""

    def prepare(self, told: Waiting) -> None:
        """Wait until it can be asked; ``told`` hears several times a second how far that is.

        Raises as ``extract`` does.
        """

    def extract(self, chunk: Sequence[Segment], video: VideoContext) -> Extraction:
        """Return the chunk's mentions in the order spoken.

        Raises ``analysis.failures.Transient`` where asking again may help, ``Deterministic``
        where it won't.
        """


class Geocoder(Protocol):
    """Places mentions on the map, each in the light of all the others."""

    def prepare(self, told: Waiting) -> None:
        """Wait until it can be asked, as ``Extractor.prepare`` does."""

    def locate(
        self, mentions: Sequence[Mention], video: VideoContext
    ) -> Iterator[Located | Unlocated]:
        """Yield one answer for each mention, in order, as each is known.

        Raises as ``Extractor.extract`` does where the geocoder as a whole is away.
        """


@dataclass(frozen=True, slots=True)
class StrategyInputs:
    """What of a strategy changes a result (its hash is over these)."""

    model: str
    model_temp: float = 0.7
    compression_ratio: float = 0.4
    extraction_prompt_v: int = 2
    geocode_mode: str = "offline"
    extra: dict[str, object] = field(default_factory=dict)
