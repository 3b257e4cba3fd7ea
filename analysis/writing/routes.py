"""What is written: a video's places in the order spoken of, and the line through them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

#: Signs that no XML document may hold.
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_HALF_TURN: Final = 180.0
#: Who must be named with places, as their licences ask, by the authority that located them.
_CREDITS: Final = {
    "gazetteer": "© GeoNames, geonames.org (CC BY 4.0)",
    "nominatim": "© OpenStreetMap contributors, openstreetmap.org/copyright (ODbL)",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One place of a route; ``link`` opens the video at that moment, where there is one."""

    name: str
    longitude: float
    latitude: float
    description: str = ""
    timecode: str = ""
    tags: tuple[str, ...] = ()
    marker: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A video's places, as ``GET /api/videos/{id}/locations`` gives them."""

    video_id: str
    title: str
    stops: tuple[Stop, ...]
    link: str = ""
    credits: str = ""

    @property
    def lines(self) -> list[list[tuple[float, float]]]:
        """The line through the stops as (longitude, latitude); cut where it crosses 180 degrees."""
        pieces: list[list[tuple[float, float]]] = []
        for stop in self.stops:
            here = (stop.longitude, stop.latitude)
            if not pieces:
                pieces.append([here])
                continue
            last = pieces[-1][-1]
            if last == here:
                continue
            if abs(here[0] - last[0]) > _HALF_TURN:
                edge, latitude = _crossing(last, here)
                pieces[-1].append((edge, latitude))
                pieces.append([(-edge, latitude)])
            pieces[-1].append(here)
        return [piece for piece in pieces if len(piece) > 1]


def _crossing(last: tuple[float, float], here: tuple[float, float]) -> tuple[float, float]:
    """Return where a line leaves the map: its edge, 180 or -180, and the latitude there."""
    edge = _HALF_TURN if last[0] > 0 else -_HALF_TURN
    beyond = here[0] + 2 * edge
    part = (edge - last[0]) / (beyond - last[0])
    return edge, last[1] + part * (here[1] - last[1])


def route_of(
    items: Iterable[Mapping[str, Any]], *, video_id: str, title: str = "", video_url: str = ""
) -> Route:
    """Return the route of the items of a result.

    Args:
        items: ``{location, coordinates: [lon, lat], description, timecode, tags, marker,
            authority}`` each.
        video_id: of the video.
        title: of the video.
        video_url: address of the video; empty where there is none to open.
    """
    items = list(items)
    stops = tuple(
        Stop(
            name=fit(item["location"]),
            longitude=float(item["coordinates"][0]),
            latitude=float(item["coordinates"][1]),
            description=fit(item.get("description") or ""),
            timecode=str(item.get("timecode") or ""),
            tags=tuple(map(fit, item.get("tags") or ())),
            marker=fit(item.get("marker") or ""),
            link=link_at(video_url, str(item.get("timecode") or "")),
        )
        for item in items
    )
    named = credits_of(str(item.get("authority") or "") for item in items)
    return Route(video_id, fit(title) or video_id, stops, link=video_url, credits=named)


def credits_of(authorities: Iterable[str]) -> str:
    """Return who must be named where places of these authorities are shown; empty for nobody."""
    found = set(authorities)
    return "; ".join(credit for authority, credit in _CREDITS.items() if authority in found)


def fit(text: Any) -> str:
    """Return a text without signs that XML can't hold."""
    return _UNFIT.sub("", str(text))


def timecode(at_ms: int) -> str:
    """Return a moment of a video as ``HH:MM:SS,mmm``."""
    seconds, ms = divmod(max(0, at_ms), 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{ms:03}"


def seconds_of(code: str) -> int:
    """Return the whole seconds of a timecode; 0 where it is none."""
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d)(?:[,.]\d+)?", code)
    return 0 if found is None else (int(found[1]) * 60 + int(found[2])) * 60 + int(found[3])


def link_at(video_url: str, code: str) -> str:
    """Return the address that opens a video at a moment; sites other than YouTube by fragment."""
    if not video_url:
        return ""
    at_s = seconds_of(code)
    if "youtube.com/" in video_url or "youtu.be/" in video_url:
        return f"{video_url}{'&' if '?' in video_url else '?'}t={at_s}s"
    return f"{video_url.partition('#')[0]}#t={at_s}"
