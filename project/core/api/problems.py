"""Turning failures into RFC 9457 problem documents, in one place for REST, ASGI and Django."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from rest_framework import exceptions as drf
from rest_framework.views import set_rollback

from project.core import errors, requests

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

CONTENT_TYPE: Final = "application/problem+json"
STATUS: Final[dict[type[errors.AppError], int]] = {
    errors.InvalidInputError: 422,
    errors.ForbiddenError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.QuotaExceededError: 429,
    errors.TransientError: 503,
    errors.PermanentError: 502,
}
_TITLES: Final = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
}


class NotAuthenticatedError(errors.AppError):
    """Nobody signed in and no valid key was shown."""

    code = "not_authenticated"
    title = "Not authenticated"


class MethodNotAllowedError(errors.AppError):
    """The address doesn't take this method."""

    code = "method_not_allowed"
    title = "Method not allowed"


class TooLargeError(errors.AppError):
    """The body of the request is larger than is read."""

    code = "too_large"
    title = "Too large"


def larger_than(most: int) -> str:
    """Return the words for a body of more than ``most`` bytes."""
    return f"the body may be at most {most:,} bytes here"


def status_of(error: errors.AppError) -> int:
    """Return the HTTP status of an expected failure, by its family."""
    if isinstance(error, NotAuthenticatedError):
        return 401
    if isinstance(error, MethodNotAllowedError):
        return 405
    if isinstance(error, TooLargeError):
        return 413
    return next((STATUS[family] for family in type(error).__mro__ if family in STATUS), 500)


def document(status: int, code: str, detail: str, *, instance: str, **extra: Any) -> dict[str, Any]:
    """Return a problem document; ``extra`` holds further members, e.g. ``errors`` or ``run_id``."""
    return {
        "type": f"urn:millrace:problem:{code}",
        "title": extra.pop("title", "") or _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "request_id": requests.current_id(),
        **extra,
    }


def of_error(error: errors.AppError, *, instance: str) -> dict[str, Any]:
    """Return the problem document of an expected failure."""
    extra: dict[str, Any] = {**error.extra, "title": error.title}
    if isinstance(error, errors.InvalidInputError) and error.fields:
        extra["errors"] = [
            {"field": found.field, "code": found.code, "detail": found.detail}
            for found in error.fields
        ]
    return document(status_of(error), error.code, str(error), instance=instance, **extra)


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Answer what a REST view raised; None for a bug, which Django answers with 500."""
    instance = context["request"].path
    if isinstance(exc, errors.AppError):
        answer = _written(of_error(exc, instance=instance))
        if (wait := _retry_after(exc)) is not None:
            answer["Retry-After"] = wait
    elif isinstance(exc, Http404):
        answer = _written(document(404, "not_found", "Not found", instance=instance))
    elif isinstance(exc, RequestDataTooBig):
        answer = _written(of_error(_too_large(), instance=instance))
    elif isinstance(exc, PermissionDenied):
        detail = "You may not do this"
        answer = _written(document(403, "permission_denied", detail, instance=instance))
    elif isinstance(exc, drf.APIException):
        answer = _of_drf(exc, instance)
    else:
        return None
    set_rollback()
    return answer


def _too_large() -> TooLargeError:
    return TooLargeError(larger_than(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0))


def _written(body: dict[str, Any]) -> HttpResponse:
    """Write a problem document, whatever form the view's own answers have."""
    return HttpResponse(orjson.dumps(body), content_type=CONTENT_TYPE, status=body["status"])


def _retry_after(error: errors.AppError) -> str | None:
    """Return what a client should wait, where the error knows it."""
    wait_s: float | None = getattr(error, "retry_after_s", None)
    if wait_s is None and not isinstance(error, errors.TransientError):
        return None
    return str(max(1, math.ceil(wait_s or 1)))


def _of_drf(exc: drf.APIException, instance: str) -> HttpResponse:
    status = exc.status_code
    if isinstance(exc, drf.ValidationError):
        found = list(_field_problems(exc.get_full_details()))
        unknown = bool(found) and all(one["code"] == "unknown_field" for one in found)
        code = "unknown_field" if unknown else "invalid"
        detail = "; ".join(f"{one['field']}: {one['detail']}" for one in found[:5])
        return _written(document(422, code, detail, instance=instance, errors=found))
    codes = exc.get_codes()
    code = codes if isinstance(codes, str) else "error"
    code = {"parse_error": "malformed", "unsupported_media_type": "unsupported_media_type"}.get(
        code, code
    )
    answer = _written(document(status, code, str(exc.detail), instance=instance))
    if challenge := getattr(exc, "auth_header", None):
        answer["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        answer["Retry-After"] = str(int(wait))
    return answer


def _field_problems(details: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Flatten DRF's nested details into ``{field, code, detail}``."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {
            "field": path or "body",
            "code": str(details["code"]),
            "detail": str(details["message"]),
        }
        return
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(details, dict):
        pairs = details.items()
    elif all(isinstance(one, dict) and set(one) == {"message", "code"} for one in details):
        pairs = (("", one) for one in details)
    else:
        pairs = enumerate(details)
    for name, inner in pairs:
        step = "" if name == "non_field_errors" else str(name)
        yield from _field_problems(inner, f"{path}.{step}".strip("."))


async def answer_asgi(
    error: errors.AppError,
    scope: dict[str, Any],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Answer an expected failure of a plain ASGI application."""
    body = orjson.dumps(of_error(error, instance=scope["path"]))
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    if isinstance(error, NotAuthenticatedError):
        headers.append((b"www-authenticate", b"Api-Key"))
    if isinstance(error, MethodNotAllowedError):
        headers.append((b"allow", b"GET"))
    if (wait := _retry_after(error)) is not None:
        headers.append((b"retry-after", wait.encode()))
    await send({"type": "http.response.start", "status": status_of(error), "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _wants_json(request: HttpRequest) -> bool:
    return request.path.startswith("/api/") or not request.accepts("text/html")


def _plain(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    return _django_answer(request, status, document(status, code, detail, instance=request.path))


def _django_answer(request: HttpRequest, status: int, body: dict[str, Any]) -> HttpResponse:
    """Answer outside of REST: a problem document for programs, a page for people."""
    if _wants_json(request):
        return _written(body)
    # without the request: context processors could fail again on the way to say so
    return HttpResponse(render_to_string("problem.html", {"problem": body}), status=status)


def answer(request: HttpRequest, error: errors.AppError) -> HttpResponse:
    """Answer an expected failure outside of REST: in a middleware or a page."""
    found = _django_answer(request, status_of(error), of_error(error, instance=request.path))
    if (wait := _retry_after(error)) is not None:
        found["Retry-After"] = wait
    return found


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer Django's 400, and 413 where the body is larger than is held in memory."""
    if isinstance(exception, RequestDataTooBig):
        return answer(request, _too_large())
    return _plain(request, 400, "bad_request", "The request can't be read")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer Django's 403."""
    return _plain(request, 403, "permission_denied", "You may not do this")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer Django's 404."""
    return _plain(request, 404, "not_found", "There is nothing at this address")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer Django's 500; the log has the rest, by the request id."""
    return _plain(request, 500, "internal_error", "Something went wrong on our side")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a cookie session's unsafe request without its CSRF token."""
    return _plain(request, 403, "csrf_failed", reason or "CSRF check failed")
