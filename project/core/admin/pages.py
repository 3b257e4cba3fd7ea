"""What staff pages have in common: rows only to read, deeds by POST and what came of them."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.admin import ModelAdmin

from project.core.callers import Caller
from project.core.errors import AppError

M = TypeVar("M", bound=Model)
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


def row_if_any(rows: QuerySet[M], object_id: str) -> M | None:
    """Return the row that an address names; None where its key is none, or the row is gone."""
    try:
        key = rows.model._meta.pk.to_python(object_id)  # noqa: SLF001 -- Django's documented API
        return rows.filter(pk=key).first()
    except (ValidationError, ValueError):  # no key; a text with a NUL
        return None


def row_of(rows: QuerySet[M], object_id: str) -> M:
    """Return the row that an address names.

    Raises:
        Http404: there is none.
    """
    found = row_if_any(rows, object_id)
    if found is None:
        raise Http404("there is no such row")
    return found


def key_of(object_id: str) -> int:
    """Return the key that an address names, for verbs that look the row up by themselves.

    Raises:
        Http404: it is no key of any row.
    """
    if not (object_id.isascii() and object_id.isdecimal() and len(object_id) < _LONGEST_KEY):
        raise Http404("there is no such row")
    return int(object_id)


def number_of(text: str, *, default: int) -> int:
    """Return the number that a part of an address says; ``default`` where it says none."""
    return (
        int(text) if text.isascii() and text.isdecimal() and len(text) < _LONGEST_KEY else default
    )


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
