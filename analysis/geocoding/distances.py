"""How far two places are from each other."""

import math
from typing import Final

EARTH_KM: Final = 6371.0088

Point = tuple[float, float]


def km(first: Point, second: Point) -> float:
    """Return the great-circle distance of two points (latitude, longitude) in kilometres."""
    lat1, lon1, lat2, lon2 = map(math.radians, (*first, *second))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))
