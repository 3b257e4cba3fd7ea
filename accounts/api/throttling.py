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
from project.core import limits
from project.core.api import problems
from project.core.callers import NOBODY, Caller
from project.core.hub import in_thread
from project.core.middleware import Middleware
from project.core.requests import address_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from django.http import HttpRequest, HttpResponseBase

    from project.core.limits import Verdict

    App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

#: A websocket that is refused is closed with this.
TOO_MANY = 4429


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
        verdict = decide(request)
        refused = refusal(request, verdict)
        return _told(refused or self.get_response(request), verdict)

    async def answer_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer ``request``, or say that it is one too many."""
        if not is_counted(request):
            answer: HttpResponseBase = await self.get_response(request)
            return answer
        verdict = await sync_to_async(decide)(request)
        refused = refusal(request, verdict)
        return _told(refused or await self.get_response(request), verdict)


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
        verdict = await in_thread(decide_asgi, scope)
        if verdict is None:
            await self.app(scope, receive, send)
        elif verdict.is_allowed:
            await self.app(scope, receive, _telling(send, verdict))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": TOO_MANY})
        else:
            error = limits.RateLimitedError(verdict)
            await problems.answer_asgi(error, scope, _telling(send, verdict))


def decide_asgi(scope: Mapping[str, Any]) -> Verdict | None:
    """Count the opening of a stream."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    ask = Ask(
        method=scope.get("method", "GET"),
        path=scope["path"],
        address=limits.client_address(
            (scope.get("client") or ("",))[0],
            headers.get(b"x-forwarded-for", ""),
            trusted=settings.TRUSTED_PROXIES,
        ),
        caller=scope.get("caller", NOBODY),
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
