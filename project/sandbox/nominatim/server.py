"""How the geocoder answers: ``/search`` as Nominatim writes it down; it counts its clients' haste."""

from collections import Counter
from typing import Final

from aiohttp import web

from project.sandbox import control
from project.sandbox.gazetteer import SPOTS, Spot
from project.sandbox.serving import HttpServer

_LICENCE: Final = "Data © OpenStreetMap contributors, ODbL 1.0."
_MOST: Final = 40
_HALF_SIZE: Final = 0.05


class NominatimServer(HttpServer):
    """Finds the places of ``gazetteer.py`` by any of their names."""

    def __init__(self) -> None:
        super().__init__()
        self.app.add_routes(
            [
                web.get("/search", self.search),
                web.get("/status", self.status),
                *control.routes(self.faults, self.log),
            ]
        )

    def most_in_a_second(self) -> int:
        """Return how many searches arrived within any one second, at the most."""
        at_ms = sorted(each.at_ms for each in self.log.entries() if each.path == "/search")
        most = first = 0
        for number, moment in enumerate(at_ms):
            while moment - at_ms[first] >= 1000:  # noqa: PLR2004 -- a second
                first += 1
            most = max(most, number - first + 1)
        return most

    def agents(self) -> Counter[str]:
        """Return how many searches came from each user agent."""
        return Counter(
            str(each.headers.get("User-Agent", ""))
            for each in self.log.entries()
            if each.path == "/search"
        )

    async def status(self, _request: web.Request) -> web.Response:
        """Answer that all is well."""
        return web.json_response({"status": 0, "message": "OK"})

    async def search(self, request: web.Request) -> web.Response:
        """Answer the places of ``?q=``, those of ``?countrycodes=`` alone where it is given."""
        query = request.query.get("q", "").strip()
        if not query:
            raise web.HTTPBadRequest(
                text='{"error":{"code":400,"message":"Nothing to search for."}}'
            )
        countries = [code for code in request.query.get("countrycodes", "").split(",") if code]
        limit = min(_MOST, int(request.query.get("limit", "10")))
        found = [spot for spot in _found(query) if not countries or spot.country in countries]
        return web.json_response([_as_json(spot) for spot in found[:limit]])


def _found(query: str) -> list[Spot]:
    wanted = query.casefold()
    first = wanted.split(",")[0].strip()
    whole = [spot for spot in SPOTS if wanted in map(str.casefold, spot.names)]
    return whole or [spot for spot in SPOTS if first in map(str.casefold, spot.names)]


def _as_json(spot: Spot) -> dict[str, object]:
    number = SPOTS.index(spot) + 1
    box = (
        spot.latitude - _HALF_SIZE,
        spot.latitude + _HALF_SIZE,
        spot.longitude - _HALF_SIZE,
        spot.longitude + _HALF_SIZE,
    )
    return {
        "place_id": number,
        "licence": _LICENCE,
        "osm_type": "relation",
        "osm_id": 1000 + number,
        "lat": f"{spot.latitude:.7f}",
        "lon": f"{spot.longitude:.7f}",
        "class": spot.category,
        "category": spot.category,
        "type": spot.kind,
        "place_rank": 16,
        "importance": 0.6,
        "addresstype": spot.kind,
        "name": spot.name,
        "display_name": f"{spot.name}, {spot.country.upper()}",
        "address": {spot.kind: spot.name, "country_code": spot.country},
        "boundingbox": [f"{edge:.7f}" for edge in box],
    }
