"""What a person may put right of one place on the map, and take back again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from analysis import correcting, retracting
from analysis.choices import Change
from analysis.correcting import Shown, fold
from analysis.models import Analysis, Correction, Place, Video
from project.core.callers import Caller
from project.core.errors import ConflictError, FieldProblem, InvalidInputError, NotFoundError


class PlaceNotFoundError(NotFoundError):
    """There is no such place on the map."""

    title = "No such place"


class BadCorrectionError(InvalidInputError):
    """The correction can't be made as it stands."""

    code = "bad_correction"
    title = "This can't be corrected so"


class NothingToTakeBackError(ConflictError):
    """The caller has put nothing right of the place, or taken it all back."""

    code = "nothing_to_take_back"
    title = "Nothing to take back"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to change of a place; what is None stays.

    Attributes:
        coordinates: where it is: longitude, latitude.
        name: what it is called.
        merge_into: number of the place that it is the same as.
        dropped: True takes it off the map; False puts it back.
    """

    coordinates: tuple[float, float] | None = None
    name: str | None = None
    merge_into: int | None = None
    dropped: bool | None = None


def correct(
    analysis: Analysis, n: int, wanted: Wanted, *, by: Caller, now: datetime
) -> Shown | None:
    """Write down what a person puts right; return the place as it is shown then.

    Args:
        analysis: whose map.
        n: the place's number on it.
        wanted: what is to change.
        by: the person: staff correct for everybody.
        now: the moment, UTC.

    Returns:
        None for a place that is not on the map any more.

    Raises:
        PlaceNotFoundError: there is none with this number.
        BadCorrectionError: nothing is to change, or it can't.
    """
    places = _places(analysis, by=by)
    place = _find(places, n)
    shown = {one.place.n for one in _shown(analysis, places, by=by)}
    if n not in shown and wanted.dropped is not False:
        raise PlaceNotFoundError(f"place {n} is not on the map any more")
    rows = _rows(analysis, place, wanted, {one.n: one for one in places if one.n in shown})
    with transaction.atomic():
        if wanted.dropped is False:
            _take_back_drops(analysis.video, place, by=by)
        for row in rows:
            row.for_everybody, row.made_by_id, row.made_at = by.is_staff, by.user_id, now
        Correction.objects.bulk_create(rows)
    return _one(_shown(analysis, places, by=by), n)


def take_back(analysis: Analysis, n: int, *, by: Caller, now: datetime) -> Shown | None:
    """Let the last that ``by`` put right of a place in this video count no more; return as above.

    What one request changed goes at once; done again, it takes back what was changed before that.

    Raises:
        PlaceNotFoundError: there is none with this number.
        NothingToTakeBackError: they put nothing right of it, or took it all back.
    """
    place = _find(_places(analysis, by=by), n)
    with transaction.atomic():
        mine = Correction.objects.select_for_update(no_key=True, of=("self",)).filter(
            video=analysis.video,
            raw=fold(place.raw),
            made_by_id=by.user_id,
            for_everybody=by.is_staff,
            is_taken_back=False,
        )
        last = mine.order_by("-made_at").first()
        if last is None:
            raise NothingToTakeBackError(f"nothing of yours is put right of place {n}")
        for one in mine.filter(made_at=last.made_at).order_by("pk"):
            retracting.take_back(one, now=now)
    return _one(_shown(analysis, _places(analysis, by=by), by=by), n)


def _places(analysis: Analysis, *, by: Caller) -> list[Place]:
    """Return the places with a number: the result's, and those that people have told ``by`` of."""
    missing = list(analysis.failures.values_list("raw", flat=True))
    known = correcting.known(analysis.video, missing, by=by)
    return [*analysis.places.all(), *correcting.told(analysis, missing, known)]


def _find(places: Sequence[Place], n: int) -> Place:
    place = next((one for one in places if one.n == n), None)
    if place is None:
        raise PlaceNotFoundError(f"no place {n}")
    return place


def _shown(analysis: Analysis, places: Sequence[Place], *, by: Caller) -> list[Shown]:
    known = correcting.known(analysis.video, [place.raw for place in places], by=by)
    return correcting.applied(places, known)


def _one(shown: Sequence[Shown], n: int) -> Shown | None:
    return next((one for one in shown if one.place.n == n), None)


def _take_back_drops(video: Video, place: Place, *, by: Caller) -> None:
    """Put a place back: also where it was merged into another one."""
    mine = Correction.objects.filter(
        video=video, raw=fold(place.raw), change__in=[Change.DROP, Change.MERGE]
    )
    own = Q(made_by_id=by.user_id)
    mine.filter(own | Q(for_everybody=True) if by.is_staff else own).update(is_taken_back=True)


def _rows(
    analysis: Analysis, place: Place, wanted: Wanted, others: dict[int, Place]
) -> list[Correction]:
    changes: dict[str, dict[str, Any]] = {}
    if wanted.coordinates is not None:
        changes[Change.MOVE] = _moved(*wanted.coordinates)
    if wanted.name is not None:
        changes[Change.RENAME] = _renamed(wanted.name)
    if wanted.merge_into is not None:
        changes[Change.MERGE] = _merged(place, others.get(wanted.merge_into))
    if wanted.dropped:
        changes[Change.DROP] = {}
    if not changes and wanted.dropped is None:
        raise _bad("body", "say what to change: coordinates, location, merge_into or dropped")
    return [
        Correction(
            video=analysis.video,
            raw=fold(place.raw),
            change=change,
            was_name=place.name,
            was_longitude=place.longitude,
            was_latitude=place.latitude,
            **values,
        )
        for change, values in changes.items()
    ]


def _moved(longitude: float, latitude: float) -> dict[str, Any]:
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):  # noqa: PLR2004 -- the globe
        raise _bad("coordinates", "longitude -180 to 180, latitude -90 to 90")
    return {"longitude": longitude, "latitude": latitude}


def _renamed(name: str) -> dict[str, Any]:
    if not name.strip():
        raise _bad("location", "a name")
    return {"name": name.strip()[:300]}


def _merged(place: Place, other: Place | None) -> dict[str, Any]:
    if other is None or fold(other.raw) == fold(place.raw):
        raise _bad("merge_into", "the number of another place on the map")
    return {"merge_into": fold(other.raw)}


def _bad(name: str, expected: str) -> BadCorrectionError:
    wrong = FieldProblem(name, "invalid", expected)
    return BadCorrectionError(f"{name}: {expected}", fields=(wrong,))
