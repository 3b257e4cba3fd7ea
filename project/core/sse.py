"""Server-sent events of runs: a plain ASGI application, since Django would spend a thread each.

Routed before Django's own handler (``project/asgi.py``); ``scope["caller"]`` says who asks.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

import orjson

from project.core.api import problems
from project.core.callers import NOBODY, Caller
from project.core.errors import AppError, InvalidInputError
from project.core.following import ManyView, View
from project.core.hub import BadCursorError, Frame, Subscription

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
HEARTBEAT_S: Final = 5.0
RECONNECT_MS: Final = 3000
MOST_RUNS: Final = 100
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class BadRunIdsError(InvalidInputError):
    """``ids`` must name 1 to 100 runs."""

    code = "bad_run_ids"
    title = "Name the runs to follow"


def header(scope: Mapping[str, Any], name: bytes) -> str | None:
    """Return a request header of an ASGI scope."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return None


def position(text: str | None) -> int:
    """Read the number of an event; 0, the beginning, where there is none.

    Raises:
        BadCursorError: it is no such number.
    """
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:  # noqa: PLR2004 -- fits the column
        raise BadCursorError(f"{text!r} is not the number of an event")
    return int(text)


class RunStream:
    """``GET /api/runs/{id}/stream``: the id of an event is its number within the run."""

    async def view(self, scope: Scope, caller: Caller) -> View:
        """Return what is followed, from the last event on that the client has."""
        run_id = scope["url_route"]["kwargs"]["run_id"]
        return View({run_id: position(header(scope, b"last-event-id"))}, caller=caller)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        caller: Caller = scope.get("caller", NOBODY)
        try:
            _require_get(scope)
            if not caller.is_known:
                raise problems.NotAuthenticatedError
            view = await self.view(scope, caller)
            async with view.follow() as subscription:
                await self._answer(view, subscription, receive, send)
        except AppError as error:
            await problems.answer_asgi(error, scope, send)

    async def _answer(
        self, view: View, subscription: Subscription, receive: Receive, send: Send
    ) -> None:
        if view.is_read or (subscription.is_over and any(view.after.values())):
            # the client has it all: 204 keeps EventSource from coming back
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _body(send, f"retry: {RECONNECT_MS}\n\n".encode())
        pump = asyncio.create_task(_pump(view, subscription, send))
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
            if pump.done():
                pump.result()
                await send({"type": "http.response.body", "body": b""})
        finally:
            pump.cancel()
            gone.cancel()


async def _pump(view: View, subscription: Subscription, send: Send) -> None:
    sent = {feed.run_id: subscription.position[feed.run_id] for feed in subscription.feeds}
    while not subscription.is_over:
        frames = await subscription.read(timeout_s=HEARTBEAT_S)
        if not frames and not subscription.is_over:
            await _body(send, heartbeat(view, subscription))
        lines = []
        is_last = False
        for frame in frames:
            sent[frame.run_id] = frame.seq
            if (shown := view.shown(frame)) is not None:
                lines.append(_written(shown, view.cursor(frame, sent)))
            if is_last := view.is_last(frame):
                break
        if lines:
            await _body(send, b"".join(lines))
        if is_last:
            return


class RunsStream(RunStream):
    """``GET /api/runs/stream?ids=a,b``: several runs over one connection."""

    async def view(self, scope: Scope, caller: Caller) -> View:
        """Return the runs to follow, each from the last event on that the client has."""
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        names = [name for part in query.get("ids", []) for name in part.split(",") if name]
        try:
            run_ids = sorted({uuid.UUID(name) for name in names})
        except ValueError as error:
            raise BadRunIdsError("ids: run ids, separated by commas") from error
        if not 1 <= len(run_ids) <= MOST_RUNS:
            raise BadRunIdsError(f"ids: 1 to {MOST_RUNS} run ids, separated by commas")
        cursor = header(scope, b"last-event-id")
        seqs = [position(part) for part in cursor.split("-")] if cursor else [0] * len(run_ids)
        if len(seqs) != len(run_ids):
            raise BadCursorError("Last-Event-ID belongs to other runs")
        return ManyView(dict(zip(run_ids, seqs, strict=True)), caller=caller)


def _require_get(scope: Scope) -> None:
    if scope["method"] != "GET":
        raise problems.MethodNotAllowedError(f"{scope['method']} is not allowed")


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _written(frame: Frame, event_id: str) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (
        event_id.encode(),
        frame.event.encode(),
        frame.json,
    )


def heartbeat(view: View, subscription: Subscription) -> bytes:
    """Return a heartbeat; it has no id, so that it never moves the client's position."""
    return b"event: heartbeat\ndata: %b\n\n" % orjson.dumps(view.heartbeat(subscription))
