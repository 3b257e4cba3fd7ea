"""What no geocoder knows, people may have told before: then the place is where they put it."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from analysis.choices import PEOPLE, PIN
from analysis.contracts import Geocoder, Located, Mention, Unlocated, VideoContext, Waiting


class Corrections(Protocol):
    """Corrections that count for one job."""

    def spot_of(self, raw: str) -> tuple[float, float] | None:
        """Return where people put the place of this name: longitude, latitude."""


class Corrected:
    """A geocoder, with people to ask for what it does not know.

    What it does know stays as it says: corrections are laid over that when it is shown, and
    need to know what was wrong.
    """

    def __init__(self, geocoder: Geocoder, corrections: Corrections) -> None:
        self._geocoder = geocoder
        self._corrections = corrections

    def prepare(self, told: Waiting) -> None:
        """Wait until the geocoder can be asked; people have told before."""
        self._geocoder.prepare(told)

    def locate(
        self, mentions: Sequence[Mention], video: VideoContext
    ) -> Iterator[Located | Unlocated]:
        """Yield one answer for each mention, in order."""
        for answer in self._geocoder.locate(mentions, video):
            spot = None
            if isinstance(answer, Unlocated):
                spot = self._corrections.spot_of(answer.mention.raw)
            yield answer if spot is None else _told(answer.mention, *spot)


def _told(mention: Mention, longitude: float, latitude: float) -> Located:
    return Located(
        mention=mention,
        name=mention.raw,
        longitude=longitude,
        latitude=latitude,
        kind="",
        marker=PIN,
        country=mention.country,
        authority=PEOPLE,
    )
