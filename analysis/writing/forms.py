"""In which forms a route is written, and how each is called."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from analysis.writing.gpx import gpx
from analysis.writing.kml import kml
from analysis.writing.routes import Route
from project.core.errors import InvalidInputError


class UnknownFormError(InvalidInputError):
    """Routes are not written in that form."""

    code = "unknown_format"
    title = "Unknown format"


@dataclass(frozen=True, slots=True)
class Form:
    """One form: its writer, its media type, and how its files end."""

    write: Callable[[Route], str]
    content_type: str
    ending: str


def geojson(route: Route) -> str:
    """Return a route as GeoJSON (RFC 7946): a point for each stop, then the line through them."""
    points = [
        _feature(
            {"type": "Point", "coordinates": [stop.longitude, stop.latitude]},
            {
                "number": number,
                "name": stop.name,
                "description": stop.description,
                "timecode": stop.timecode,
                "tags": list(stop.tags),
                "marker": stop.marker,
                "link": stop.link,
            },
        )
        for number, stop in enumerate(route.stops, start=1)
    ]
    lines = [[list(at) for at in line] for line in route.lines]
    path = [
        _feature({"type": "MultiLineString", "coordinates": lines}, {"name": route.title})
        if len(lines) > 1
        else _feature({"type": "LineString", "coordinates": lines[0]}, {"name": route.title})
    ] if lines else []  # fmt: skip
    document = {
        "type": "FeatureCollection",
        "video_id": route.video_id,
        "title": route.title,
        **({"attribution": route.credits} if route.credits else {}),
        "features": [*points, *path],
    }
    return json.dumps(document, ensure_ascii=False)


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


FORMS: Final = {
    "geojson": Form(geojson, "application/geo+json", "geojson"),
    "gpx": Form(gpx, "application/gpx+xml", "gpx"),
    "kml": Form(kml, "application/vnd.google-earth.kml+xml", "kml"),
}


def written(form: str, route: Route) -> tuple[bytes, Form]:
    """Return a route in a form, UTF-8, and the form.

    Raises:
        UnknownFormError: ``unknown_format``.
    """
    if form not in FORMS:
        raise UnknownFormError(f"write one of: {', '.join(FORMS)}")
    return FORMS[form].write(route).encode(), FORMS[form]
