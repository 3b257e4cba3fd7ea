"""Which staff are led to their second factor before they see the console."""

from typing import Any, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect

from accounts import second_factor
from accounts.models import User
from project.core.middleware import Middleware

_CONSOLE: Final = "/admin/"
_OPEN: Final = ("/admin/login/", "/admin/logout/")


class EnrolMiddleware(Middleware):
    """Leads staff without a second factor to where they get one, if the settings say so."""

    def answer(self, request: HttpRequest) -> Any:
        """Answer ``request``, or lead its sender away."""
        return _led(request) or self.get_response(request)

    async def answer_async(self, request: HttpRequest) -> Any:
        """Answer ``request``, or lead its sender away."""
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
