"""What people put right on the map, laid over what the geocoder said: the first authority.

Results are shared by all who ask for a video, so corrections never change them: they are applied
when a place is shown. An owner's count for what the owner sees, staff's for everybody; the owner's
own come first. They hold for every later job, too: in the same video wherever the name is spoken,
in other videos where the geocoder makes the same mistake with the same name (a move or a new
name; what was dropped or merged in one video may be right in another).
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from analysis import values
from analysis.choices import PEOPLE, PIN, Change
from analysis.models import Analysis, Correction, Failure, Place, Video
from project.core.callers import Caller
from project.core.moments import stamp

#: A geocoder's answer so near to one that was corrected is the same mistake.
SAME_SPOT_KM: Final = 1.0
#: Changes that are right in other videos, too.
ELSEWHERE: Final = (Change.MOVE, Change.RENAME)
_EARTH_KM: Final = 6371.0


@dataclass(slots=True)
class Shown:
    """A place as one caller sees it."""

    place: Place
    name: str
    longitude: float
    latitude: float
    authority: str
    made: list[Correction] = field(default_factory=list)
    is_staff: bool = False
    viewer_id: int | None = None

    @property
    def correction(self) -> dict[str, Any] | None:
        """Who put it right, when and how; None where nobody did."""
        if not self.made:
            return None
        last = max(self.made, key=lambda one: (one.made_at, one.pk))
        return {
            "by": self._name_of(last),
            "at": stamp(last.made_at),
            "changes": sorted({str(one.change) for one in self.made}),
        }

    def _name_of(self, correction: Correction) -> str:
        """Return who made it: to strangers staff are staff."""
        is_own = self.viewer_id is not None and correction.made_by_id == self.viewer_id
        if correction.made_by is not None and (is_own or self.is_staff):
            return str(correction.made_by)
        return "staff" if correction.for_everybody else "somebody"


@dataclass(frozen=True, slots=True)
class Known:
    """The corrections that count for one caller and one video, later ones last."""

    video_id: int
    caller: Caller
    by_name: dict[str, list[Correction]]

    def of(self, place: Place) -> dict[str, Correction]:
        """Return the corrections of a place, one per kind of change."""
        found: dict[str, Correction] = {}
        for one in self.by_name.get(fold(place.raw), ()):
            if one.video_id == self.video_id or _is_same_mistake(one, place):
                found[one.change] = one
            elif _is_its_origin(one, place):
                found.setdefault(one.change, one)
        return found

    def spot_of(self, raw: str) -> tuple[float, float] | None:
        """Return where people put the place of this name: longitude, latitude.

        What they said in other videos counts where all of them mean the same spot: a name that
        they put in several may be any of these here.
        """
        moves = [one for one in self.by_name.get(fold(raw), ()) if one.change == Change.MOVE]
        spots = [
            (one.video_id, (one.longitude, one.latitude))
            for one in moves
            if one.longitude is not None and one.latitude is not None
        ]
        if not spots:
            return None
        video_id, last = spots[-1]
        if video_id == self.video_id:
            return last
        agreed = all(distance_km(spot, last) <= SAME_SPOT_KM for _, spot in spots)
        return last if agreed else None


def fold(raw: str) -> str:
    """Return a spoken name as it is compared: width, case and blanks don't matter."""
    return " ".join(unicodedata.normalize("NFKC", raw).casefold().split())[:300]


def _is_same_mistake(correction: Correction, place: Place) -> bool:
    if correction.change not in ELSEWHERE:
        return False
    was = (correction.was_longitude, correction.was_latitude)
    return distance_km(was, (place.longitude, place.latitude)) <= SAME_SPOT_KM


def _is_its_origin(correction: Correction, place: Place) -> bool:
    """Say whether a place is on the map only since the correction said where."""
    if correction.change != Change.MOVE or place.authority != PEOPLE:
        return False
    return (correction.longitude, correction.latitude) == (place.longitude, place.latitude)


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the distance of two points (longitude, latitude) on a sphere."""
    lon1, lat1, lon2, lat2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def known(video: Video, names: Iterable[str], *, by: Caller) -> Known:
    """Return the corrections of ``names`` that count for ``by``; one query."""
    folded = sorted({fold(name) for name in names})
    audience = Q(for_everybody=True)
    if by.user_id is not None:
        audience |= Q(made_by_id=by.user_id)
    rows = Correction.objects.filter(audience, raw__in=folded, is_taken_back=False)
    rows = rows.filter(Q(video=video) | Q(change__in=ELSEWHERE)).select_related("made_by")

    def rank(one: Correction) -> tuple[bool, bool, datetime, int]:
        is_own = by.user_id is not None and one.made_by_id == by.user_id
        return (one.video_id == video.pk, is_own, one.made_at, one.pk)

    by_name: dict[str, list[Correction]] = {}
    for one in sorted(rows, key=rank):
        by_name.setdefault(one.raw, []).append(one)
    return Known(video.pk, by, by_name)


def told(analysis: Analysis, missing: Iterable[str], corrections: Known) -> list[Place]:
    """Return the places that people have located, of those that the geocoder could not.

    They are no rows: the result is everybody's, and this is how one caller sees it.

    Args:
        analysis: whose failures they are.
        missing: the names in its list of failures.
        corrections: those of the names that count for the caller.
    """
    spots = {raw: spot for raw in missing if (spot := corrections.spot_of(raw)) is not None}
    if not spots:
        return []
    rows = analysis.failures.filter(raw__in=spots).order_by("n")
    return [_told(one, *spots[one.raw]) for one in rows]


def _told(failure: Failure, longitude: float, latitude: float) -> Place:
    mention = values.mention(failure.mention)
    return Place(
        analysis=failure.analysis,
        n=failure.n,
        raw=failure.raw,
        name=failure.raw,
        longitude=longitude,
        latitude=latitude,
        description=mention.description or mention.quote,
        tags=list(mention.tags),
        marker=PIN,
        country=mention.country,
        authority=PEOPLE,
        quote=mention.quote,
        start_ms=mention.start_ms,
        end_ms=mention.end_ms,
        confidence=mention.confidence,
    )


def applied(places: Sequence[Place], corrections: Known) -> list[Shown]:
    """Return the places that are on the map, as the caller sees them."""
    found = {place.n: corrections.of(place) for place in places}
    names = {fold(place.raw) for place in places}
    into = {
        fold(place.raw): found[place.n][Change.MERGE].merge_into
        for place in places
        if Change.MERGE in found[place.n]
    }
    return [
        _shown(place, found[place.n], corrections.caller)
        for place in places
        if Change.DROP not in found[place.n] and not _is_merged(fold(place.raw), into, names)
    ]


def _is_merged(name: str, into: dict[str, str], names: set[str]) -> bool:
    """Say whether a place has become another that is there; not where that leads back to it."""
    seen = {name}
    at = name
    while at in into and into[at] in names:
        at = into[at]
        if at in seen:
            return False
        seen.add(at)
    return at != name


def _shown(place: Place, made: dict[str, Correction], caller: Caller) -> Shown:
    shown = Shown(
        place,
        place.name,
        place.longitude,
        place.latitude,
        place.authority,
        is_staff=caller.is_staff,
        viewer_id=caller.user_id,
    )
    move, rename = made.get(Change.MOVE), made.get(Change.RENAME)
    if move is not None and move.longitude is not None and move.latitude is not None:
        shown.longitude, shown.latitude = move.longitude, move.latitude
        shown.authority = PEOPLE
    if rename is not None:
        shown.name = rename.name
    shown.made = [one for one in (move, rename) if one is not None]
    return shown
