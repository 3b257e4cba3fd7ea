"""Limits at the edge: one decision for Django's requests and for streams that pass Django by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from accounts import keys, limiting
from accounts.api.authentication import recognised
from accounts.limiting import Ask
from accounts.models import User
from project.core import closing, limits
from project.core.api import problems
from project.core.callers import NOBODY, Caller
from project.core.hub import in_thread
from project.core.middleware import Middleware
from project.core.requests import address_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from django.http import HttpRequest, HttpResponseBase

    from project.core.errors import AppError
    from project.core.limits import Verdict

    App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

#: Websockets that are refused are closed with these: one too many; closed for maintenance.
TOO_MANY = 4429
COME_BACK = 4503


def caller_of(request: HttpRequest) -> Caller:
    """Return who asks, before any view looked: by key, else by session."""
    if (found := recognised(request)) is not None:
        return found.caller
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return NOBODY
    return keys.caller_of_user(request.user) if isinstance(request.user, User) else NOBODY


class LimitMiddleware(Middleware):
    """Counts Django's requests; it stands after the one that knows the session's user."""

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """Answer ``request``, or say that it is one too many."""
        if (closed := maintenance(request)) is not None:
            return closed
        verdict = decide(request)
        refused = refusal(request, verdict)
        return _told(refused or self.get_response(request), verdict)

    async def answer_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer ``request``, or say that it is one too many."""
        if _may_be_closed(request.path_info):
            closed = await sync_to_async(maintenance)(request)
            if closed is not None:
                return closed
        if not is_counted(request):
            answer: HttpResponseBase = await self.get_response(request)
            return answer
        verdict = await sync_to_async(decide)(request)
        refused = refusal(request, verdict)
        return _told(refused or await self.get_response(request), verdict)


def maintenance(request: HttpRequest) -> HttpResponseBase | None:
    """Return the answer to whom the product is closed; None for one that may go on."""
    try:
        closing.require_open(request.path_info, lambda: caller_of(request), now=timezone.now())
    except closing.MaintenanceError as error:
        return problems.answer(request, error)
    return None


def _may_be_closed(path: str) -> bool:
    """Say whether a look at the switch is needed: now and then it costs a thread."""
    return closing.concerns(path) and not closing.is_surely_open(now=timezone.now())


def is_counted(request: HttpRequest) -> bool:
    """Say whether a look at the rules is needed at all: it costs a thread."""
    return bool(settings.RATE_LIMIT_ENABLED) and not limiting.is_free(request.path_info)


def decide(request: HttpRequest) -> Verdict | None:
    """Count a request of Django's."""
    if not is_counted(request):
        return None
    ask = Ask(
        method=request.method or "",
        path=request.path_info,
        address=address_of(request),
        caller=caller_of(request),
    )
    return limiting.decide(ask, now=timezone.now())


def refusal(request: HttpRequest, verdict: Verdict | None) -> HttpResponseBase | None:
    """Return the answer to a request that is one too many; None for one that may go on."""
    if verdict is None or verdict.is_allowed:
        return None
    return problems.answer(request, limits.RateLimitedError(verdict))


def _told(answer: HttpResponseBase, verdict: Verdict | None) -> HttpResponseBase:
    for name, value in verdict.headers().items() if verdict else ():
        answer[name] = value
    return answer


class LimitedStream:
    """Counts the openings of a stream or websocket; it stands inside ``CallerMiddleware``."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Go on, or say that it is one opening too many."""
        try:
            verdict = await in_thread(decide_asgi, scope)
        except closing.MaintenanceError as error:
            await _refuse(error, scope, send, code=COME_BACK)
            return
        if verdict is None:
            await self.app(scope, receive, send)
        elif verdict.is_allowed:
            await self.app(scope, receive, _telling(send, verdict))
        else:
            many = limits.RateLimitedError(verdict)
            await _refuse(many, scope, _telling(send, verdict), code=TOO_MANY)


async def _refuse(error: AppError, scope: dict[str, Any], send: Any, *, code: int) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": code})
    else:
        await problems.answer_asgi(error, scope, send)


def decide_asgi(scope: Mapping[str, Any]) -> Verdict | None:
    """Count the opening of a stream.

    Raises:
        MaintenanceError: streams are closed to whoever asks.
    """
    caller = scope.get("caller", NOBODY)
    closing.require_open(scope["path"], lambda: caller, now=timezone.now())
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    ask = Ask(
        method=scope.get("method", "GET"),
        path=scope["path"],
        address=limits.client_address(
            (scope.get("client") or ("",))[0],
            headers.get(b"x-forwarded-for", ""),
            trusted=settings.TRUSTED_PROXIES,
        ),
        caller=caller,
        again=is_again(scope, headers),
    )
    return limiting.decide(ask, now=timezone.now())


def is_again(scope: Mapping[str, Any], headers: Mapping[bytes, str]) -> bool:
    """Say whether somebody comes back: SSE names the last event, a websocket counts from it."""
    if scope["type"] == "websocket":
        return any(
            part.startswith(b"since=") and part.removeprefix(b"since=").strip(b"0")
            for part in scope.get("query_string", b"").split(b"&")
        )
    return bool(headers.get(b"last-event-id"))


def _telling(send: Any, verdict: Verdict) -> Any:
    added = [(name.lower().encode(), value.encode()) for name, value in verdict.headers().items()]

    async def send_with(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return send_with
