"""The judge: tells whoever asks what reached us, so that proxies can be checked against it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

import orjson
from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt

if TYPE_CHECKING:
    from django.http import HttpRequest

_LONGEST_NONCE: Final = 200
#: What the front proxy of an installation adds to each request.
_OF_OUR_FRONT: Final = ("X-Real-Ip", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port")
_CHAIN: Final = "X-Forwarded-For"


@csrf_exempt
def judge(request: HttpRequest) -> HttpResponse:
    """Answer the nonce, the method, the address that asks, and the headers as they came."""
    remote, headers = arrived(request)
    body = {
        "nonce": request.GET.get("nonce", "")[:_LONGEST_NONCE] or None,
        "method": request.method,
        "remote": remote,
        "headers": headers,
    }
    answer = HttpResponse(orjson.dumps(body), content_type="application/json")
    answer["Cache-Control"] = "no-store"
    return answer


def arrived(request: HttpRequest) -> tuple[str, dict[str, str]]:
    """Return who asks and with which headers, as they were before our own front proxy."""
    remote = str(request.META.get("REMOTE_ADDR", ""))
    headers = dict(request.headers)
    if not headers.get("Content-Length"):
        headers.pop("Content-Length", None)
        headers.pop("Content-Type", None)
    if not settings.PUBLIC_URL or _CHAIN not in headers or not _is_inside(remote):
        return remote, headers
    before, _, remote = headers.pop(_CHAIN).rpartition(",")
    if before.strip():
        headers[_CHAIN] = before.strip()
    for name in _OF_OUR_FRONT:
        headers.pop(name, None)
    return remote.strip(), headers


def _is_inside(address: str) -> bool:
    try:
        return not ipaddress.ip_address(address).is_global
    except ValueError:
        return True
