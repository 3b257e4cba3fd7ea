"""The request at hand, and its id: made at the edge, carried by logs, runs, events and answers."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import structlog
from django.conf import settings
from django.http import HttpRequest

from project.core import limits, tracing
from project.core.middleware import Middleware

HEADER: Final = "X-Request-ID"
_SAFE: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_at_hand: Final[ContextVar[HttpRequest | None]] = ContextVar("request_at_hand", default=None)


def new_id() -> str:
    """Return a fresh request id: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def accepted(given: str | None) -> str:
    """Return the caller's own request id when it is harmless, else a fresh one."""
    return given if given and _SAFE.fullmatch(given) else new_id()


def current_id() -> str:
    """Return the id of the request, or of the run, that this code works for; may be empty."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def at_hand() -> HttpRequest | None:
    """Return Django's request that this code works for; None in workers and commands."""
    return _at_hand.get()


def address_of(request: HttpRequest) -> str:
    """Return the address of the client, behind trusted proxies."""
    return limits.client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        trusted=settings.TRUSTED_PROXIES,
    )


async def bound(app: Any, scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer an ASGI connection with its request id bound, and send the id back."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    request_id = accepted(given.decode("latin-1"))

    async def send_with_id(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            named = (HEADER.lower().encode(), request_id.encode())
            message = {**message, "headers": [*message.get("headers", []), named]}
        await send(message)

    before = structlog.contextvars.bind_contextvars(request_id=request_id)
    try:
        await app(scope, receive, send_with_id)
    finally:
        structlog.contextvars.reset_contextvars(**before)


class RequestIdMiddleware(Middleware):
    """Give Django's requests their id; where ``bound`` has done so, take that one."""

    def answer(self, request: HttpRequest) -> Any:
        """Answer ``request`` with its id bound."""
        with _bound_for(request):
            answer = self.get_response(request)
            tracing.name_request(request)
            return answer

    async def answer_async(self, request: HttpRequest) -> Any:
        """Answer ``request`` with its id bound."""
        with _bound_for(request):
            answer = await self.get_response(request)
            tracing.name_request(request)
            return answer


@contextmanager
def _bound_for(request: HttpRequest) -> Iterator[None]:
    request_id = current_id() or accepted(request.headers.get(HEADER))
    request.request_id = request_id  # type: ignore[attr-defined]
    token = _at_hand.set(request)
    try:
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            yield
    finally:
        _at_hand.reset(token)
