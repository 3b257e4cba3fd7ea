"""Decides which marker and tags a place has on the map, by its kind."""

from dataclasses import dataclass
from typing import Final

from analysis.choices import PIN


@dataclass(frozen=True, slots=True)
class Marker:
    """How a place looks on the map, and under which words it is found."""

    marker: str
    tags: tuple[str, ...]


#: marker, further tags, kinds; the kind itself is always the first tag.
_TABLE: Final = (
    ("country", (), ("country", "continent")),
    ("region", (), ("region", "county", "district", "area")),
    ("city", (), ("city", "town", "village")),
    ("mountain", ("nature",), ("peak", "range", "volcano", "pass", "ridge", "hill", "mountain", "rock")),
    ("water", ("nature",), ("lake", "river", "waterfall", "sea", "bay", "strait", "canal", "hot_spring", "glacier", "ocean", "dam", "reef")),
    ("beach", ("nature",), ("beach", "coast")),
    ("island", ("nature",), ("island",)),
    ("park", ("nature",), ("park", "garden", "valley", "canyon", "desert", "cave", "forest", "cape", "trail", "reserve", "peninsula", "farm")),
    ("temple", ("culture",), ("temple", "shrine", "church", "mosque", "monastery", "pagoda")),
    ("castle", ("culture",), ("castle", "palace", "fort")),
    ("monument", ("culture",), ("monument", "ruins", "tower", "bridge", "landmark", "building", "square", "statue", "tunnel", "border")),
    ("museum", ("culture",), ("museum", "theatre", "university")),
    ("market", ("food",), ("market", "night_market", "food_street")),
    ("street", (), ("street", "old_town", "quarter", "road")),
    ("transport", (), ("airport", "station", "port", "harbour")),
    ("fun", (), ("theme_park", "zoo", "stadium", "resort")),
)  # fmt: skip
_MARKERS: Final = {
    kind: Marker(marker, (kind, *more)) for marker, more, kinds in _TABLE for kind in kinds
}
_UNKNOWN: Final = Marker(PIN, ())
KINDS: Final = frozenset(_MARKERS)


def of(kind: str) -> Marker:
    """Return the marker and tags of a kind; a pin for one that is not known."""
    return _MARKERS.get(kind, _UNKNOWN)
