"""What the control endpoints of every server take: faults and the request log."""

import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from project.sandbox.faults import FaultBoard, fault_from_json
from project.sandbox.requestlog import RequestLog, Wanted

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.Response]]


def refused(words: str) -> web.HTTPBadRequest:
    """Return the answer to a body that can't be used."""
    return web.HTTPBadRequest(text=json.dumps({"detail": words}), content_type="application/json")


async def body_of(request: web.Request) -> dict[str, object]:
    """Return the body of a request, which must be a JSON object.

    Raises:
        web.HTTPBadRequest: it is something else.
    """
    try:
        body = await request.json()
    except ValueError as wrong:
        raise refused(f"not JSON: {wrong}") from wrong
    if not isinstance(body, dict):
        raise refused("the body must be a JSON object")
    return body


def read(reader: Callable[[], T]) -> T:
    """Call a reader of a body; what it can't use becomes a 400 that says why."""
    try:
        return reader()
    except (KeyError, TypeError, ValueError) as wrong:
        raise refused(str(wrong)) from wrong


def routes(faults: FaultBoard, log: RequestLog) -> list[web.RouteDef]:
    """Return the endpoints that switch faults and show the log."""

    async def add_faults(request: web.Request) -> web.Response:
        """Switch on the fault, or the list of faults, in the body."""
        try:
            body = await request.json()
        except ValueError as wrong:
            raise refused(f"not JSON: {wrong}") from wrong
        asked = body if isinstance(body, list) else [body]
        chosen = read(lambda: [fault_from_json(each) for each in asked])
        return web.json_response({"ids": [faults.add(each) for each in chosen]}, status=201)

    async def list_faults(_request: web.Request) -> web.Response:
        return web.json_response({"faults": faults.as_json()})

    async def clear_faults(_request: web.Request) -> web.Response:
        faults.clear()
        return web.Response(status=204)

    async def remove_fault(request: web.Request) -> web.Response:
        found = faults.remove(int(request.match_info["id"]))
        return web.Response(status=204 if found else 404)

    async def show_log(request: web.Request) -> web.Response:
        wanted = read(lambda: _wanted(request))
        return web.json_response({"entries": log.as_json(wanted)})

    async def clear_log(_request: web.Request) -> web.Response:
        log.clear()
        return web.Response(status=204)

    return [
        web.post("/_control/faults", add_faults),
        web.get("/_control/faults", list_faults),
        web.delete("/_control/faults", clear_faults),
        web.delete(r"/_control/faults/{id:\d+}", remove_fault),
        web.get("/_control/log", show_log),
        web.delete("/_control/log", clear_log),
    ]


def _wanted(request: web.Request) -> Wanted:
    query = request.query
    return Wanted(
        path=query.get("path"),
        client=query.get("client"),
        venue=query.get("venue"),
        symbol=query.get("symbol"),
        status=int(query["status"]) if "status" in query else None,
        after=int(query.get("after", "0")),
    )
