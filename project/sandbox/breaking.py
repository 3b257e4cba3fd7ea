"""How a fault that replaces the whole answer looks on the wire."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from project.sandbox.faults import Facts, Fault, FaultKind

Refuse = Callable[[Fault, Facts], web.Response]
Answer = Callable[[], Awaitable[web.StreamResponse]]

MAINTENANCE_PAGE = (
    "<!DOCTYPE html><html><head><title>Maintenance</title></head>"
    "<body><h1>We will be right back</h1></body></html>"
)
CHALLENGE_PAGE = (
    '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head>'
    '<body><div id="challenge-error-text">Enable JavaScript and cookies to continue</div>'
    '<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script>'
    "</body></html>"
)


def html(text: str, *, status: int = 200) -> web.Response:
    """Return a page."""
    return web.Response(text=text, status=status, content_type="text/html")


def refuse_plainly(fault: Fault, _facts: Facts) -> web.Response:
    """Answer a status as a common web server does."""
    page = f"<html><head><title>{fault.status}</title></head><body>{fault.status}</body></html>"
    response = html(page, status=fault.status)
    if fault.retry_after_s is not None:
        response.headers["Retry-After"] = str(fault.retry_after_s)
    return response


async def answer_broken(
    request: web.Request, fault: Fault, *, response_for_status: web.Response, answer: Answer
) -> web.StreamResponse:
    """Answer a request as its fault says.

    Args:
        request: the request that was hit.
        fault: what goes wrong.
        response_for_status: the answer of the kind ``status``.
        answer: makes the right answer, for kinds that only spoil its way.
    """
    if fault.delay_s:
        await asyncio.sleep(fault.delay_s)
    if fault.kind is FaultKind.HANG:
        await asyncio.Event().wait()
    if fault.kind is FaultKind.DISCONNECT:
        return _hung_up(request)
    if fault.kind is FaultKind.CUT_BODY:
        return await _cut(request, await answer())
    whole = {
        FaultKind.STATUS: response_for_status,
        FaultKind.CHALLENGE: html(CHALLENGE_PAGE, status=403),
        FaultKind.HTML200: html(MAINTENANCE_PAGE),
        FaultKind.EMPTY200: web.Response(body=b"", content_type="application/json"),
        FaultKind.REDIRECT: web.Response(status=302, headers={"Location": fault.location}),
    }
    return whole[fault.kind] if fault.kind in whole else await answer()


def _hung_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


async def _cut(request: web.Request, right: web.StreamResponse) -> web.StreamResponse:
    """Promise the whole body, send half of it, hang up."""
    body = right.body if isinstance(right, web.Response) else None
    whole = body if isinstance(body, bytes) and body else b'{"cut":'
    half = web.StreamResponse(status=right.status)
    half.content_type = right.content_type
    half.content_length = len(whole) + 1
    await half.prepare(request)
    await half.write(whole[: len(whole) // 2])
    if request.transport is not None:
        request.transport.abort()
    return half
