"""How lists are paged: by cursor, newest first, with a bad cursor answered as such."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework.exceptions import APIException, ErrorDetail, NotFound, ValidationError
from rest_framework.pagination import CursorPagination

if TYPE_CHECKING:
    from rest_framework.request import Request


#: Few enough digits for a number that fits.
_WHOLE: Final = re.compile(r"[0-9]{1,9}")


class BadCursor(APIException):
    """The cursor is none that this list gave out."""

    status_code = 400
    default_code = "bad_cursor"
    default_detail = "the cursor is not one of this list"


class Cursor(CursorPagination):
    """``?cursor=`` and ``?limit=`` (1 to 1,000, 100 if not said; more is taken as 1,000)."""

    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000
    ordering: str | tuple[str, ...] = "-id"

    def get_page_size(self, request: Request) -> int:
        """Return how many rows a page has; DRF would pass over what is no number.

        Raises:
            ValidationError: the limit is no whole number from 1 on.
        """
        wanted = request.query_params.get(self.page_size_query_param)
        if wanted is None:
            return self.page_size
        if not _WHOLE.fullmatch(wanted) or not int(wanted):
            wrong = ErrorDetail("a whole number from 1 to 1,000", code="invalid")
            raise ValidationError({self.page_size_query_param: [wrong]})
        return min(int(wanted), self.max_page_size)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the query parameters as OpenAPI tells them."""
        found: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in found:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "default": self.page_size}
        return found

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any] | None:
        """Return a page; the position in a cursor may be of another type than the column."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (DjangoValidationError, ValueError) as error:
            raise BadCursor from error

    def decode_cursor(self, request: Request) -> Any:
        """Read the cursor; DRF would call a bad one 404."""
        try:
            # base64 itself passes over letters that it doesn't know
            base64.b64decode(request.query_params.get(self.cursor_query_param, ""), validate=True)
            return super().decode_cursor(request)
        except (NotFound, ValueError) as error:
            raise BadCursor from error
