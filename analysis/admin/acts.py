"""What staff do to the chosen rows of a list, or to the one of a page: by its verb, and told."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from project.core.admin import pages
from project.core.admin.pages import ReadOnly
from project.core.errors import AppError


def each(
    admin: ReadOnly,
    request: HttpRequest,
    rows: Iterable[Any],
    deed: Callable[[Any], object],
    *,
    what: str,
) -> None:
    """Do ``deed`` to each row; write it down, and say which could not be done.

    Args:
        admin: whose rows they are.
        request: of the member of staff.
        rows: the chosen ones.
        deed: one call into a verb.
        what: what was done, e.g. ``Canceled``.
    """
    done = 0
    for row in rows:
        try:
            deed(row)
        except AppError as error:
            messages.warning(request, f"{row}: {error}")
            continue
        admin.log_change(request, row, f"{what}.")
        done += 1
    if done:
        messages.success(request, f"{what}: {done}.")


def one(admin: ReadOnly, request: HttpRequest, row: Any, deed: Callable[[], str]) -> HttpResponse:
    """Do ``deed`` to the row of a page, write down what it returns, and lead back there.

    Args:
        admin: whose row it is.
        request: of the member of staff.
        row: what the page shows.
        deed: one call into a verb; returns what was done, as a sentence.
    """

    def done() -> str:
        said = deed()
        admin.log_change(request, row, said)
        return said

    return pages.carry_out(request, done, to=page_of(row))


def page_of(row: Any) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])  # noqa: SLF001 -- documented
