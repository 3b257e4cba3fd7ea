"""What a place of the gazetteer is."""

import math
from dataclasses import dataclass
from typing import Final

COUNTRY: Final = "country"
CONTINENT: Final = "continent"
REGION: Final = "region"
COUNTY: Final = "county"
CITY: Final = "city"
TOWN: Final = "town"
VILLAGE: Final = "village"
#: Kinds that hold others: they come after a comma ("Paris, Texas").
CONTAINERS: Final = frozenset({COUNTRY, CONTINENT, REGION, COUNTY})
SETTLEMENTS: Final = frozenset({CITY, TOWN, VILLAGE})

#: How a name belongs to its place.
PRIMARY: Final = 0
CURATED: Final = 1
ALTERNATE: Final = 2
#: "Ky.", "BC": counts only as a container, or in capitals.
ABBREVIATION: Final = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A place and where it is.

    Attributes:
        id: its number in the gazetteer; negative for places that staff imported.
        kind: ``city``, ``country``, ``peak`` …, see docs/places.md.
        country: ISO 3166 alpha-2, empty where it lies in several or none.
        within: codes of what holds it, the widest first: ``("US", "US.KY", "US.KY.125")``.
        code: its own code where it holds others, else empty.
        weight: inhabitants, or for what has none how well it is known, on the same scale.
        rank: how the name that was looked up belongs to it (``PRIMARY`` … ``ABBREVIATION``).
    """

    id: int
    name: str
    kind: str
    country: str
    within: tuple[str, ...]
    code: str
    latitude: float
    longitude: float
    weight: int
    rank: int = PRIMARY


_BY_KIND: Final = {COUNTRY: 2.0, CONTINENT: 2.0, REGION: 0.8, COUNTY: -1.0}
_OTHER_KIND: Final = 1.0
_BY_RANK: Final = {ALTERNATE: -1.5}


def prominence(place: Place) -> float:
    """Return how likely a name means this place where nothing else is known: tens of inhabitants.

    A country counts a hundred times its people, a county a tenth; so does a foreign or old name.
    """
    kind = _BY_KIND.get(place.kind, 0.0 if place.kind in SETTLEMENTS else _OTHER_KIND)
    return math.log10(place.weight + 1) + kind + _BY_RANK.get(place.rank, 0.0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A place to be written into a gazetteer, with its names: (name, rank)."""

    name: str
    kind: str
    country: str
    within: tuple[str, ...]
    code: str
    latitude: float
    longitude: float
    weight: int
    names: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class WordFacts:
    """What is known of a word: is it ordinary, is it a person's name?

    Attributes:
        zipf: how common it is, 0 (unknown) to 8 ("the"), in English, Chinese or Japanese.
        in_dictionary: an English dictionary has it, not as a name.
        given: how common it is as a given name, per cent of people.
        surname: as a surname, likewise.
    """

    zipf: float = 0.0
    in_dictionary: bool = False
    given: float = 0.0
    surname: float = 0.0


UNKNOWN_WORD: Final = WordFacts()
