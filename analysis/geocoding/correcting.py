"""People are the first authority: what they corrected is not asked of a geocoder again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from analysis.contracts import Geocoder, Located, Mention, Unlocated, VideoContext
from analysis.geocoding import marking

#: The reason of a mention that somebody dropped from the map: no failure, and never to be retried.
DROPPED: Final = "dropped"


@dataclass(frozen=True, slots=True)
class Correction:
    """What somebody said of a name.

    Attributes:
        name: how the place is called; empty leaves it as the geocoder says.
        longitude: with ``latitude`` where it is; None leaves it to the geocoder.
        by: who said so, shown with the place.
        dropped: it is no place of this video.
        kind: e.g. ``peak``; empty leaves it as the geocoder says.
    """

    by: str
    name: str = ""
    longitude: float | None = None
    latitude: float | None = None
    kind: str = ""
    dropped: bool = False


class Corrections(Protocol):
    """Corrections that count for one job."""

    def correction_of(self, mention: Mention, video: VideoContext) -> Correction | None:
        """Return what somebody said of ``mention``, if anybody did."""


class Corrected:
    """A geocoder behind people's corrections."""

    def __init__(self, geocoder: Geocoder, corrections: Corrections) -> None:
        self._geocoder = geocoder
        self._corrections = corrections

    def locate(
        self, mentions: Sequence[Mention], video: VideoContext
    ) -> Iterator[Located | Unlocated]:
        """Yield one answer for each mention, in order: people's where there is one."""
        told = [self._corrections.correction_of(mention, video) for mention in mentions]
        asked = [
            mention
            for mention, correction in zip(mentions, told, strict=True)
            if correction is None or not correction.dropped
        ]
        answers = self._geocoder.locate(asked, video)
        for mention, correction in zip(mentions, told, strict=True):
            if correction is None:
                yield next(answers)
            elif correction.dropped:
                yield Unlocated(mention, DROPPED, retryable=False)
            else:
                yield _corrected(mention, next(answers), correction)


def _corrected(
    mention: Mention, answer: Located | Unlocated, correction: Correction
) -> Located | Unlocated:
    """Return ``answer`` with what the correction says put over it."""
    found = answer if isinstance(answer, Located) else None
    longitude = correction.longitude if correction.longitude is not None else None
    latitude = correction.latitude
    if longitude is None or latitude is None:
        if found is None:
            return answer
        longitude, latitude = found.longitude, found.latitude
    kind = correction.kind or (found.kind if found else "")
    marker = marking.of(kind)
    return Located(
        mention=mention,
        name=correction.name or (found.name if found else mention.raw),
        longitude=longitude,
        latitude=latitude,
        kind=kind,
        marker=marker.marker,
        tags=tuple(dict.fromkeys((*mention.tags, *marker.tags))),
        country=found.country if found else mention.country,
        authority=f"corrected by {correction.by}",
    )
