"""How lists are paged: by cursor, newest first, with a bad cursor answered as such."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import APIException, NotFound
from rest_framework.pagination import CursorPagination

if TYPE_CHECKING:
    from rest_framework.request import Request


class BadCursor(APIException):
    """The cursor is none that this list gave out."""

    status_code = 400
    default_code = "bad_cursor"
    default_detail = "the cursor is not one of this list"


class Cursor(CursorPagination):
    """``?cursor=`` and ``?limit=`` (1 to 1,000, 100 if not said)."""

    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000
    ordering: str | tuple[str, ...] = "-id"

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any] | None:
        """Return a page; the position in a cursor may be of another type than the column."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValidationError, ValueError) as error:
            raise BadCursor from error

    def decode_cursor(self, request: Request) -> Any:
        """Read the cursor; DRF would call a bad one 404."""
        try:
            # base64 itself passes over letters that it doesn't know
            base64.b64decode(request.query_params.get(self.cursor_query_param, ""), validate=True)
            return super().decode_cursor(request)
        except (NotFound, ValueError) as error:
            raise BadCursor from error
