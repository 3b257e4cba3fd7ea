"""``Idempotency-Key`` at the edge: for every unsafe request of a known caller to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.utils import timezone

from accounts import repeating
from accounts.api.throttling import caller_of
from accounts.limiting import Ask
from project.core.api import problems
from project.core.errors import AppError
from project.core.middleware import Middleware

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

    from accounts.repeating import Claim

HEADER: Final = "Idempotency-Key"
_UNSAFE: Final = {"POST", "PUT", "PATCH", "DELETE"}
#: Says nothing of the work: whoever may not, or came too often, may try again.
_NOT_KEPT: Final = {401, 403, 408, 429}


class RepeatMiddleware(Middleware):
    """Answers a request that was sent before as it was answered then."""

    def answer(self, request: HttpRequest) -> Any:
        """Answer ``request``, once."""
        if not concerns(request):
            return self.get_response(request)
        found = begin(request)
        if found is None or isinstance(found, HttpResponse):
            return found or self.get_response(request)
        return end(found, self.get_response(request))

    async def answer_async(self, request: HttpRequest) -> Any:
        """Answer ``request``, once."""
        if not concerns(request):
            return await self.get_response(request)
        found = await sync_to_async(begin)(request)
        if found is None or isinstance(found, HttpResponse):
            return found or await self.get_response(request)
        return await sync_to_async(end)(found, await self.get_response(request))


def concerns(request: HttpRequest) -> bool:
    """Say whether a request has a key that matters."""
    is_ours = request.method in _UNSAFE and request.path_info.startswith("/api/")
    return is_ours and HEADER in request.headers


def begin(request: HttpRequest) -> Claim | HttpResponse | None:
    """Return the claim on the work, or the answer; None where nobody known asks."""
    caller = caller_of(request)
    if not caller.is_known:
        return None
    who = Ask("", "", "", caller).counted_as("caller")
    facts = repeating.digest(
        (request.method or "").encode(),
        request.get_full_path().encode(),
        request.headers.get("Content-Type", "").encode(),
        request.body,
    )
    try:
        claim = repeating.claim(who, request.headers[HEADER], digest=facts, now=timezone.now())
    except AppError as error:
        return problems.answer(request, error)
    if claim.answer is None:
        return claim
    kept = claim.answer
    answer = HttpResponse(kept.body, status=kept.status, content_type=kept.content_type or None)
    answer["Idempotent-Replay"] = "true"
    return answer


def end(claim: Claim, answer: HttpResponseBase) -> HttpResponseBase:
    """Keep the answer of work that was done; let other work be tried again."""
    status = answer.status_code
    try:
        is_kept = status < 500 and status not in _NOT_KEPT and isinstance(answer, HttpResponse)  # noqa: PLR2004 -- the server's own failures
        text = answer.content.decode() if is_kept and isinstance(answer, HttpResponse) else ""
    except UnicodeDecodeError:  # a file: not to be kept as text
        is_kept, text = False, ""
    if is_kept:
        kind = answer.headers.get("Content-Type", "")
        repeating.keep(claim, status=status, content_type=kind, body=text)
    else:
        repeating.drop(claim)
    return answer
