"""A route as KML 2.2: a placemark for each stop, and the line through them."""

import xml.etree.ElementTree as ET
from typing import Final

from analysis.writing.routes import Route, Stop

_SPACE: Final = "http://www.opengis.net/kml/2.2"


def kml(route: Route) -> str:
    """Return a route as KML 2.2."""
    ET.register_namespace("", _SPACE)
    root = ET.Element(f"{{{_SPACE}}}kml")
    document = _add(root, "Document")
    _add(document, "name", route.title)
    if route.credits:
        _add(document, "description", f"Places: {route.credits}")
    for number, stop in enumerate(route.stops, start=1):
        _placemark(document, stop, number)
    for line in route.lines:
        path = _add(document, "Placemark")
        _add(path, "name", route.title)
        drawn = _add(path, "LineString")
        _add(drawn, "tessellate", "1")
        _add(drawn, "coordinates", " ".join(f"{lon:.7f},{lat:.7f}" for lon, lat in line))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}'


def _placemark(document: ET.Element, stop: Stop, number: int) -> None:
    mark = _add(document, "Placemark")
    _add(mark, "name", f"{number}. {stop.name}")
    told = "\n".join(part for part in (stop.description, stop.link) if part)
    if told:
        _add(mark, "description", told)
    kept = {"timecode": stop.timecode, "tags": ", ".join(stop.tags), "marker": stop.marker}
    extended = _add(mark, "ExtendedData")
    for name, value in kept.items():
        data = _add(extended, "Data")
        data.set("name", name)
        _add(data, "value", value)
    point = _add(mark, "Point")
    _add(point, "coordinates", f"{stop.longitude:.7f},{stop.latitude:.7f}")


def _add(parent: ET.Element, tag: str, text: str = "") -> ET.Element:
    child = ET.SubElement(parent, f"{{{_SPACE}}}{tag}")
    child.text = text or None
    return child
