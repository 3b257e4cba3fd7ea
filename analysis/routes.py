"""The shape in which places leave: one entry of a result's ``routes``."""

from typing import Any

from analysis.correcting import Shown


def timecode(ms: int) -> str:
    """Return a moment of a video as ``HH:MM:SS,mmm``."""
    seconds, milliseconds = divmod(max(0, ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d},{milliseconds:03d}"


def of(shown: Shown) -> dict[str, Any]:
    """Return a place as the API, the events and the map show it."""
    place = shown.place
    return {
        "n": place.n,
        "location": shown.name,
        "coordinates": [shown.longitude, shown.latitude],
        "description": place.description,
        "timecode": timecode(place.start_ms),
        "tags": place.tags,
        "marker": place.marker,
        "raw": place.raw,
        "authority": shown.authority,
        "correction": shown.correction,
    }
