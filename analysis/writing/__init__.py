"""A video's route for other tools: GeoJSON, GPX, KML."""

from analysis.writing.forms import FORMS, Form, UnknownFormError, written
from analysis.writing.routes import Route, Stop, route_of, timecode

__all__ = [
    "FORMS",
    "Form",
    "Route",
    "Stop",
    "UnknownFormError",
    "route_of",
    "timecode",
    "written",
]
