"""How large a request may be: one that says so is refused unread, another where it has grown so.

Who is refused may still be sending. Were the connection closed then, the answer could be lost on
its way: so what comes is read and dropped for a while after the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from project.core.api import problems

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

#: Of a refused body so much is read and dropped, for so long in all and without a byte.
LINGER_BYTES: Final = 256 * 1024 * 1024
_LINGER_S: Final = 30.0
_SILENCE_S: Final = 5.0


class Bounded:
    """An ASGI application whose requests are no larger than ``UPLOAD_MAX_BYTES``."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one connection, or refuse its body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = settings.UPLOAD_MAX_BYTES
        if _said(scope) > most:
            await _refuse(scope, receive, send)
            return
        taken, is_answered = 0, False

        async def receive_counted() -> dict[str, Any]:
            nonlocal taken
            message: dict[str, Any] = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise problems.TooLargeError(problems.larger_than(most))
            return message

        async def send_noted(message: dict[str, Any]) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        try:
            await self.app(scope, receive_counted, send_noted)
        except problems.TooLargeError:
            if is_answered:
                raise
            await _refuse(scope, receive, send)


def _said(scope: dict[str, Any]) -> int:
    """Return how large the request says its body is; 0 where it says nothing."""
    given = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(given) if given.isdigit() else 0


async def _refuse(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer, let the client come to its end, then end the answer: servers close after that."""
    error = problems.TooLargeError(problems.larger_than(settings.UPLOAD_MAX_BYTES))

    async def send_open(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"].append((b"connection", b"close"))
        await send({**message, "more_body": True} if "body" in message else message)

    await problems.answer_asgi(error, scope, send_open)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            await _drain(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Any) -> None:
    left = LINGER_BYTES
    while left > 0:
        async with asyncio.timeout(_SILENCE_S):
            message = await receive()
        left -= len(message.get("body", b""))
        if not message.get("more_body"):  # its end, or that the client is gone
            return
