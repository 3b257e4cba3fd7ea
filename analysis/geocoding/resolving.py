"""Decides which of its homonyms a name means: known, contained, in the video's country, near.

One name has one meaning within a video, unless it says otherwise ("Paris, Texas").
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from analysis.gazetteer.places import CONTINENT, COUNTRY, REGION, SETTLEMENTS, Place, prominence
from analysis.geocoding import containing
from analysis.geocoding.distances import km


@dataclass(frozen=True, slots=True)
class Asked:
    """A name to be resolved.

    Attributes:
        key: its folded name.
        places: what bears it, the most important first.
        containers: codes of states and countries that it says it lies in.
        count: how often it is spoken.
        sort: ``containing.UNIT`` or ``containing.TOWN``, where the words around it say so.
    """

    key: str
    places: Sequence[Place]
    containers: frozenset[str] = frozenset()
    count: int = 1
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each reason counts; fitted over half of the labelled news (docs/places.md).

    Attributes:
        unit: for a state, province or county, where the words around say that it is one.
        namesake: the share of a unit's people from which on its town of that name is meant.
        about_km: how near to that town another place makes it the town, too.
        namesake_by_another: the same where the name is not the town's first one ("New York").
    """

    known: float = 0.84
    container: float = 12.0
    unit: float = 1.0
    namesake: float = 0.1
    namesake_by_another: float = 0.35
    country: float = 2.0
    region: float = 0.55
    about_km: float = 10.0
    near: float = 5.0
    near_km: float = 1200.0
    rounds: int = 3

    def namesake_of(self, is_its_name: bool) -> float:  # noqa: FBT001 -- which of the two
        """Return the share that counts for a town by its first name, or by another."""
        return self.namesake if is_its_name else self.namesake_by_another


DEFAULT: Final = Weights()
_CANDIDATES: Final = 40


def resolve(
    asked: Sequence[Asked], votes: dict[str, float], weights: Weights = DEFAULT
) -> list[Place | None]:
    """Return the place that each name means, None where nothing bears it.

    Args:
        asked: the names of one video, each once.
        votes: weight of each country by title, tags and words for peoples; may be empty.
        weights: how much each reason counts.
    """
    chosen = [_first(one, weights) for one in asked]
    for _ in range(weights.rounds):
        votes_now = _votes(asked, chosen, votes)
        regions = _regions(asked, chosen)
        chosen = [
            max(
                one.places[:_CANDIDATES],
                key=lambda place: _worth(
                    place, one, weights, (votes_now, regions, asked, chosen, number)
                ),
                default=None,
            )
            for number, one in enumerate(asked)
        ]
    return [
        place and _of_its_sort(place, one, weights, around=chosen)
        for place, one in zip(chosen, asked, strict=True)
    ]


def _of_its_sort(
    place: Place, one: Asked, weights: Weights, *, around: Sequence[Place | None]
) -> Place:
    """Return the town or the unit of one name, one within the other, that is rather meant.

    What the words around say decides, else what share of the unit's people the town has, or whether
    other places are about the town: who speaks of Salta means the town, and who speaks of New York
    and of Brooklyn; who speaks of Quebec alone means the province.
    """
    if place.kind in SETTLEMENTS and one.sort == containing.UNIT:
        units = [unit for unit in one.places if unit.kind in containing.UNITS]
        return _greatest([unit for unit in units if unit.code in place.within], place)
    if place.kind not in containing.UNITS or one.sort == containing.UNIT:
        return place
    towns = [town for town in one.places if town.kind in SETTLEMENTS]
    town = _greatest([town for town in towns if place.code in town.within], place)
    is_meant = (
        one.sort == containing.TOWN
        or town.weight >= place.weight * weights.namesake_of(town.rank <= place.rank)
        or any(_is_about(town, other, weights) for other in around)
    )
    return town if is_meant else place


def _is_about(town: Place, other: Place | None, weights: Weights) -> bool:
    """Say whether another place of the video lies in the town, or about it."""
    if other is None or other.kind in containing.UNITS or other.kind in {COUNTRY, CONTINENT}:
        return False
    apart = km((town.latitude, town.longitude), (other.latitude, other.longitude))
    return other.id != town.id and apart <= weights.about_km


def _greatest(places: Sequence[Place], default: Place) -> Place:
    return max(places, key=prominence, default=default)


def _first(one: Asked, weights: Weights) -> Place | None:
    return max(
        one.places[:_CANDIDATES], key=lambda place: _alone(place, one, weights), default=None
    )


def _alone(place: Place, one: Asked, weights: Weights) -> float:
    """Return what speaks for a place by itself."""
    worth = weights.known * prominence(place)
    worth += weights.container * bool(
        one.containers.intersection(place.within) and place.code not in one.containers
    )
    return worth + weights.unit * (one.sort == containing.UNIT and place.kind in containing.UNITS)


_Around = tuple[dict[str, float], dict[str, float], Sequence[Asked], Sequence[Place | None], int]


def _worth(place: Place, one: Asked, weights: Weights, around: _Around) -> float:
    votes, regions, asked, chosen, number = around
    worth = _alone(place, one, weights)
    worth += weights.country * votes.get(place.country, 0.0)
    worth += weights.region * max((regions.get(code, 0.0) for code in place.within[1:]), default=0)
    near = 0.0
    for other, (them, where) in enumerate(zip(asked, chosen, strict=True)):
        if other == number or where is None or where.kind in {COUNTRY, CONTINENT}:
            continue
        if them.key == one.key:
            continue
        apart = km((place.latitude, place.longitude), (where.latitude, where.longitude))
        near = max(near, math.exp(-apart / weights.near_km))
    return worth + weights.near * near


def _votes(
    asked: Sequence[Asked], chosen: Sequence[Place | None], start: dict[str, float]
) -> dict[str, float]:
    """Return each country's share; every name votes, the fewer homonyms the louder."""
    votes: dict[str, float] = defaultdict(float, start)
    for one, place in zip(asked, chosen, strict=True):
        if place is not None and place.country:
            countries = {other.country for other in one.places}
            loud = 3.0 if place.kind == COUNTRY else 1.0 / len(countries) + 0.2
            votes[place.country] += loud * math.sqrt(one.count)
    total = sum(votes.values()) or 1.0
    return {country: vote / total for country, vote in votes.items()}


def _regions(asked: Sequence[Asked], chosen: Sequence[Place | None]) -> dict[str, float]:
    votes: dict[str, float] = defaultdict(float)
    for one, place in zip(asked, chosen, strict=True):
        if place is None:
            continue
        codes = (*place.within[1:], place.code) if place.kind != COUNTRY else ()
        for code in codes:
            votes[code] += math.sqrt(one.count) * (2.0 if place.kind == REGION else 0.7)
    total = sum(math.sqrt(one.count) for one in asked) or 1.0
    return {code: min(vote / total, 1.0) for code, vote in votes.items() if code}
