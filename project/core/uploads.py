"""How large a request may be: one that says so is refused unread, another where it has grown so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from project.core.api import problems

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


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
            await _refuse(scope, send)
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
            await _refuse(scope, send)


def _said(scope: dict[str, Any]) -> int:
    """Return how large the request says its body is; 0 where it says nothing."""
    given = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(given) if given.isdigit() else 0


async def _refuse(scope: dict[str, Any], send: Any) -> None:
    error = problems.TooLargeError(problems.larger_than(settings.UPLOAD_MAX_BYTES))
    await problems.answer_asgi(error, scope, send)
