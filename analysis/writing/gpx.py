"""A route as GPX 1.1: its stops as waypoints, and as a route."""

import xml.etree.ElementTree as ET
from typing import Final

from analysis.writing.routes import Route, Stop

_SPACE: Final = "http://www.topografix.com/GPX/1/1"


def gpx(route: Route) -> str:
    """Return a route as GPX 1.1."""
    ET.register_namespace("", _SPACE)
    root = ET.Element(f"{{{_SPACE}}}gpx", {"version": "1.1", "creator": "Millrace"})
    about = _add(root, "metadata")
    _add(about, "name", route.title)
    if route.credits:
        _add(about, "desc", f"Places: {route.credits}")
    if route.link:
        _add(about, "link").set("href", route.link)
    for number, stop in enumerate(route.stops, start=1):
        _point(root, "wpt", stop, number)
    if len(route.stops) > 1:
        line = _add(root, "rte")
        _add(line, "name", route.title)
        for number, stop in enumerate(route.stops, start=1):
            _point(line, "rtept", stop, number)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}'


def _point(parent: ET.Element, tag: str, stop: Stop, number: int) -> None:
    """Add a stop; the order of its parts is that of the schema."""
    point = _add(parent, tag)
    point.set("lat", f"{stop.latitude:.7f}")
    point.set("lon", f"{stop.longitude:.7f}")
    _add(point, "name", f"{number}. {stop.name}")
    if stop.timecode:
        _add(point, "cmt", stop.timecode)
    if stop.description:
        _add(point, "desc", stop.description)
    if stop.link:
        _add(point, "link").set("href", stop.link)
    if stop.marker:
        _add(point, "sym", stop.marker)
    if stop.tags:
        _add(point, "type", ", ".join(stop.tags))


def _add(parent: ET.Element, tag: str, text: str = "") -> ET.Element:
    child = ET.SubElement(parent, f"{{{_SPACE}}}{tag}")
    child.text = text or None
    return child
