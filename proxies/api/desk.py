"""The desk where programs borrow and return proxies: plain ASGI, before Django's handler.

A lease is asked for before every few requests to a site, and Django's middlewares with REST
framework cost five times what the lease does. The desk serves the plain case: POST, an API key, a
small JSON body. Whatever else it may be (a cookie, an ``Idempotency-Key``, another media type, a
body that can't be read) goes on to Django, whose views do the same by ``borrowing``.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied

from accounts import glancing, limiting
from accounts.api.authentication import key_in
from accounts.noting import Sight
from project.core import closing, lanes, limits, policing, tallies
from project.core.api import problems
from project.core.callers import NOBODY
from proxies import metrics
from proxies.api import borrowing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
    Deed = Callable[..., borrowing.Told]

logger = logging.getLogger(__name__)
_MOST_BYTES: Final = 65536
_JSON: Final = b"application/json"
#: Who sends one of these wants what Django's middlewares do about it.
_FOR_DJANGO: Final = frozenset({b"idempotency-key", b"origin", b"content-encoding", b"expect"})
_FIXED: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    *((name.lower().encode(), value.encode()) for name, value in policing.headers_of("/api/")),
]
_DUMPS: Final = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class Desk:
    """One address of leases.

    Args:
        name: of what is done there, for metrics.
        view: the name of the address.
        deed: does it.
    """

    def __init__(self, name: str, view: str, deed: Deed) -> None:
        self.name = name
        self.view = view
        self.deed = deed
        self._kinds: dict[tuple[str, int], tallies.Kind] = {}

    async def serve(
        self, scope: dict[str, Any], receive: Any, send: Any, otherwise: App, **given: int
    ) -> None:
        """Answer one request; ``otherwise`` answers one that isn't plain."""
        began_s = time.perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if not _is_plain(headers):
            await otherwise(scope, receive, send)
            return
        messages, text = await _read(receive)
        body = _parsed(text)
        if body is None:
            await otherwise(scope, _replayed(messages, receive), send)
            return
        deed = partial(self.deed, body, **given)
        status, told, content = await lanes.here().run(partial(_answer, deed, scope, headers))
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*told, length]})
        await send({"type": "http.response.body", "body": content})
        tallies.note(
            self._kind(scope.get("scheme", "http"), status),
            took_s=time.perf_counter() - began_s,
            asked_bytes=len(text),
            told_bytes=len(content),
        )

    def _kind(self, transport: str, status: int) -> tallies.Kind:
        found = self._kinds.get((transport, status))
        if found is None:
            own = metrics.DESK_LATENCY.labels(self.name, str(status))
            found = tallies.Kind(self.view, "POST", transport, status, own)
            self._kinds[transport, status] = found
        return found


def _is_plain(headers: Mapping[bytes, bytes]) -> bool:
    """Say whether a request is one that the desk serves, by its headers."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    accepted = headers.get(b"accept", b"*/*")
    return (
        key_in(headers.get(b"authorization", b"").decode("latin-1")) is not None
        and kind == _JSON
        and (b"*/*" in accepted or _JSON in accepted)
        and _FOR_DJANGO.isdisjoint(headers)
        and _is_our_host(headers.get(b"host", b"").decode("latin-1"))
    )


def _is_our_host(host: str) -> bool:
    if settings.ALLOWED_HOSTS == ["*"]:
        return True
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)


async def _read(receive: Any) -> tuple[list[dict[str, Any]], bytes]:
    """Read a small body; of a large one, or where the client went, only the beginning."""
    messages: list[dict[str, Any]] = []
    text = b""
    while len(text) <= _MOST_BYTES:
        message = await receive()
        messages.append(message)
        text += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return messages, text


def _parsed(text: bytes) -> Any:
    """Return what the body says; None where REST framework shall say what is wrong with it."""
    if len(text) > _MOST_BYTES:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _replayed(messages: list[dict[str, Any]], receive: Any) -> Any:
    """Return a ``receive`` that first says again what was read."""
    rest = iter(messages)

    async def again() -> Any:
        message = next(rest, None)
        return message if message is not None else await receive()

    return again


def _answer(
    deed: Callable[..., borrowing.Told], scope: dict[str, Any], headers: Mapping[bytes, bytes]
) -> Answer:
    """Recognise, count, do, and write the answer: in a thread, since all of it asks the database."""
    told = _FIXED
    try:
        caller, verdict = _let_in(scope, headers)
        if verdict is not None:
            told = [*_FIXED, *_written(verdict.headers().items())]
            if not verdict.is_allowed:
                raise limits.RateLimitedError(verdict)  # noqa: TRY301 -- answered like the others
        if not caller.is_known:
            failed = AuthenticationFailed("the API key is unknown, revoked or expired")
            failed.auth_header = "Api-Key"  # type: ignore[attr-defined]  # as DRF's views do
            raise failed  # noqa: TRY301 -- as above
        if not caller.may(borrowing.SCOPE):
            raise PermissionDenied  # noqa: TRY301 -- as above
        status, found = deed(by=caller)
    except Exception as error:  # noqa: BLE001 -- told, or logged as a bug
        return _problem(error, scope["path"], told)
    return status, [*told, (b"content-type", _JSON)], orjson.dumps(found, option=_DUMPS)


def _let_in(scope: dict[str, Any], headers: Mapping[bytes, bytes]) -> Any:
    """Return who asks, and whether they ask too often, as Django's middlewares find it."""
    now = timezone.now()
    address = limits.client_address(
        (scope.get("client") or ("",))[0],
        headers.get(b"x-forwarded-for", b"").decode("latin-1"),
        trusted=settings.TRUSTED_PROXIES,
    )
    sight = Sight(address, headers.get(b"user-agent", b"").decode("latin-1"))
    secret = key_in(headers[b"authorization"].decode("latin-1")) or ""
    caller = glancing.caller(secret, now=now, sight=sight) or NOBODY
    closing.require_open(scope["path"], lambda: caller, now=now)
    ask = limiting.Ask(scope["method"], scope["path"], address, caller)
    return caller, limiting.decide(ask, now=now)


def _written(headers: Any) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]


def _problem(error: Exception, path: str, told: list[tuple[bytes, bytes]]) -> Answer:
    """Write a failure as REST framework's views do."""
    request = SimpleNamespace(path=path)
    answer = problems.exception_handler(error, {"request": request})
    if answer is None:
        logger.error("Internal error at the desk", extra={"path": path}, exc_info=error)
        detail = "Something went wrong on our side"
        body = problems.document(500, "internal_error", detail, instance=path)
        kind = (b"content-type", problems.CONTENT_TYPE.encode())
        return 500, [*told, kind], orjson.dumps(body)
    known = {name for name, _ in told}
    own = [pair for pair in _written(answer.headers.items()) if pair[0] not in known]
    return answer.status_code, [*told, *own], answer.content
