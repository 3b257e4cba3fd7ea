"""Which staff are led to their second factor before they see the console."""

from collections.abc import Callable
from typing import Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect

from accounts import second_factor
from accounts.models import User

_CONSOLE: Final = "/admin/"
_OPEN: Final = ("/admin/login/", "/admin/logout/")


class EnrolMiddleware:
    """Leads staff without a second factor to where they get one, if the settings say so."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Answer ``request``, or lead its sender away."""
        if self.is_async:
            return self._answer(request)
        return _led(request) or self.get_response(request)

    async def _answer(self, request: HttpRequest) -> Any:
        led = await sync_to_async(_led)(request) if _concerns(request) else None
        return led or await self.get_response(request)


def _concerns(request: HttpRequest) -> bool:
    path = request.path_info
    return bool(settings.STAFF_SECOND_FACTOR) and path.startswith(_CONSOLE) and path not in _OPEN


def _led(request: HttpRequest) -> HttpResponseRedirect | None:
    if not _concerns(request) or not isinstance(request.user, User):
        return None
    is_missing = second_factor.is_missing(request.user)
    return HttpResponseRedirect("/account/second-factor") if is_missing else None
