"""What staff do to the chosen rows of a list: each row by its verb, and what came of it said."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

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
