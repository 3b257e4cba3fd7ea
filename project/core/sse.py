"""Server-sent events of runs: a plain ASGI application, since Django would spend a thread each.

Routed before Django's own handler (``project/asgi.py``); ``scope["caller"]`` says who asks.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

import orjson
from django.utils import timezone

from project.core import hub
from project.core.api import problems
from project.core.callers import NOBODY, Caller
from project.core.errors import AppError, InvalidInputError
from project.core.hub import BadCursorError, Frame, Subscription
from project.core.moments import stamp

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

    def positions(self, scope: Scope) -> dict[uuid.UUID, int]:
        """Return the runs to follow, each with the last event that the client has."""
        run_id = scope["url_route"]["kwargs"]["run_id"]
        return {run_id: position(header(scope, b"last-event-id"))}

    def cursor(self, frame: Frame, sent: Mapping[uuid.UUID, int]) -> str:
        """Return the id of ``frame``; ``sent`` holds the last event sent of each run."""
        return str(frame.seq)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        caller: Caller = scope.get("caller", NOBODY)
        try:
            _require_get(scope)
            if not caller.is_known:
                raise problems.NotAuthenticatedError
            after = self.positions(scope)
            async with hub.here().follow(after, caller=caller) as subscription:
                await self._answer(subscription, after, receive, send)
        except AppError as error:
            await problems.answer_asgi(error, scope, send)

    async def _answer(
        self,
        subscription: Subscription,
        after: Mapping[uuid.UUID, int],
        receive: Receive,
        send: Send,
    ) -> None:
        if subscription.is_over and any(after.values()):
            # the client has it all: 204 keeps EventSource from coming back
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _body(send, f"retry: {RECONNECT_MS}\n\n".encode())
        pump = asyncio.create_task(self._pump(subscription, send))
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
            if pump.done():
                pump.result()
                await send({"type": "http.response.body", "body": b""})
        finally:
            pump.cancel()
            gone.cancel()

    async def _pump(self, subscription: Subscription, send: Send) -> None:
        sent = {feed.run_id: subscription.position[feed.run_id] for feed in subscription.feeds}
        while not subscription.is_over:
            frames = await subscription.read(timeout_s=HEARTBEAT_S)
            if not frames and not subscription.is_over:
                await _body(send, heartbeat(subscription))
            lines = []
            for frame in frames:
                sent[frame.run_id] = frame.seq
                lines.append(_written(frame, self.cursor(frame, sent)))
            if lines:
                await _body(send, b"".join(lines))


class RunsStream(RunStream):
    """``GET /api/runs/stream?ids=a,b``: several runs over one connection."""

    def positions(self, scope: Scope) -> dict[uuid.UUID, int]:
        """Return the runs to follow, each with the last event that the client has."""
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
        return dict(zip(run_ids, seqs, strict=True))

    def cursor(self, frame: Frame, sent: Mapping[uuid.UUID, int]) -> str:
        """Return the positions in all runs, in the order of their ids."""
        return "-".join(str(sent[run_id]) for run_id in sorted(sent))


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


def heartbeat(subscription: Subscription) -> bytes:
    """Return a heartbeat; it has no id, so that it never moves the client's position."""
    return b"event: heartbeat\ndata: %b\n\n" % orjson.dumps(heartbeat_data(subscription))


def heartbeat_data(subscription: Subscription) -> dict[str, Any]:
    """Return what a heartbeat says: the state of each run followed."""
    runs = [{"run_id": str(feed.run_id), "status": feed.status} for feed in subscription.feeds]
    ts = stamp(timezone.now())
    return {**runs[0], "ts": ts} if len(runs) == 1 else {"runs": runs, "ts": ts}
