"""What staff do to the chosen rows of a list, or to the one of a page: by its verb, noted, told."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from project.core import auditing
from project.core.admin import pages
from project.core.auditing import Deed
from project.core.choices import Act
from project.core.errors import AppError


def each(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    rows: Iterable[Any],
    deed: Callable[[Any], object],
    *,
    what: str,
) -> None:
    """Do ``deed`` to each row; note it, and say which could not be done.

    Args:
        admin: whose rows they are.
        request: of the member of staff.
        rows: the chosen ones.
        deed: one call into a verb; ``False`` says that there was nothing to do to the row.
        what: what was done, e.g. ``Canceled``.
    """
    done: list[Any] = []
    refused = 0
    try:
        for row in rows:
            try:
                if deed(row) is not False:
                    done.append(row)
            except AppError as error:
                refused += 1
                admin.message_user(request, f"{row}: {error}", messages.WARNING)
    finally:  # what is done is done, whatever the next row met
        _note(request, done, f"{what}.")
    if done or not refused:
        level = messages.SUCCESS if done else messages.WARNING
        admin.message_user(request, f"{what}: {len(done)}.", level)


def together(
    admin: ModelAdmin[Any], request: HttpRequest, concerned: QuerySet[Any], deed: Callable[[], str]
) -> None:
    """Do ``deed``, which is one for all rows; note it at each that it concerns, and say so.

    Args:
        admin: whose rows they are.
        request: of the member of staff.
        concerned: those of the chosen rows that change, as they are before.
        deed: one call into a verb; returns the sentence that says what was done.
    """
    rows = list(concerned.prefetch_related(None)[: auditing.MOST_OBJECTS])
    try:
        said = deed()
    except AppError as error:
        admin.message_user(request, f"{error.title}: {error}", messages.ERROR)
        return
    _note(request, rows, said)
    admin.message_user(request, said, messages.SUCCESS)


def one(
    admin: ModelAdmin[Any], request: HttpRequest, row: Any, deed: Callable[[], str]
) -> HttpResponse:
    """Do ``deed`` to the row of a page, note what it returns, and lead back there.

    Args:
        admin: whose row it is.
        request: of the member of staff.
        row: what the page shows.
        deed: one call into a verb; returns what was done, as a sentence.
    """

    def done() -> str:
        said = deed()
        admin.log_change(request, row, strip_tags(said))
        return said

    return pages.carry_out(request, done, to=page_of(row))


def page_of(row: Any) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])  # noqa: SLF001 -- documented


def _note(request: HttpRequest, rows: list[Any], said: str) -> None:
    if rows:
        deed = Deed(Act.DONE, strip_tags(said))
        auditing.note_all(rows, deed, by=pages.caller_of(request), now=timezone.now())
