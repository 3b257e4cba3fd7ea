"""The shape in which places leave: one entry of a result's ``routes``."""

from typing import Any

from analysis import writing
from analysis.correcting import Shown


def of(shown: Shown) -> dict[str, Any]:
    """Return a place as the API, the events and the map show it."""
    place = shown.place
    return {
        "n": place.n,
        "location": shown.name,
        "coordinates": [shown.longitude, shown.latitude],
        "description": place.description,
        "timecode": writing.timecode(place.start_ms),
        "tags": place.tags,
        "marker": place.marker,
        "raw": place.raw,
        "authority": shown.authority,
        "correction": shown.correction,
    }
