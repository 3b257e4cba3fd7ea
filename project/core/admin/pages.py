"""What staff pages have in common: rows only to read, deeds by POST and what came of them."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.admin import ModelAdmin

from project.core.callers import Caller
from project.core.errors import AppError

#: Digits of a key that fits its column.
_LONGEST_KEY: Final = 19


class ReadOnly(ModelAdmin):
    """Rows that workers write: staff only read them."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


def key_of(object_id: str) -> int:
    """Return the key that an address names.

    Raises:
        Http404: it is no key of any row.
    """
    if not (object_id.isascii() and object_id.isdecimal() and len(object_id) < _LONGEST_KEY):
        raise Http404("there is no such row")
    return int(object_id)


def caller_of(request: HttpRequest) -> Caller:
    """Return the member of staff who asks; the admin lets nobody else in."""
    return Caller(user_id=request.user.pk, is_staff=True)


def carry_out(request: HttpRequest, deed: Callable[[], str], *, to: str) -> HttpResponse:
    """Do what staff asked for, say what came of it, and lead them on.

    Args:
        request: the POST; its ``next`` (an address of ours) is where they are led.
        deed: does it and returns the sentence that says so; an ``AppError`` is told, too.
        to: where they are led when the request names no place.
    """
    try:
        messages.success(request, deed())
    except AppError as error:
        messages.error(request, f"{error.title}: {error}")
    return lead(request, to)


def lead(request: HttpRequest, to: str) -> HttpResponse:
    """Send the browser on: to ``next`` where the form named it; htmx wants a header for it."""
    place = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(place, allowed_hosts=None):
        place = to
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": place})
    return HttpResponseRedirect(place)
