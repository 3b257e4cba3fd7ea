"""How bodies and parameters of the endpoints are read."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from analysis import batches
from project.core.errors import FieldProblem, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rest_framework.request import Request

#: How the column of addresses may be called in a CSV file.
_HEADINGS: Final = ("url", "urls", "video", "video_url", "link", "address")
MOST_CSV_BYTES: Final = 2 * 1024 * 1024


def is_multipart(request: Request) -> bool:
    """Say whether a form with files was sent."""
    return (request.content_type or "").startswith("multipart/")


def parameter(request: Request, name: str, *, known: Sequence[str] = ()) -> str:
    """Return a query parameter, empty where it is left out.

    Raises:
        InvalidInputError: it is none of ``known``, or holds what no text can.
    """
    found = request.query_params.get(name, "")
    if "\x00" in found or (found and known and found not in known):
        expected = f"one of {', '.join(known)}" if known else "text"
        wrong = FieldProblem(name, "invalid_choice", expected)
        raise InvalidInputError(f"{name}: {expected}", fields=(wrong,))
    return found


def urls_in(data: bytes) -> list[str]:
    """Return the addresses in a CSV file: of the column ``url``, else of the first one.

    Commas part the cells, or what spreadsheets of other countries write: semicolons, tabs.

    Raises:
        BadBatchError: it is no text, too large, or has no address.
    """
    if len(data) > MOST_CSV_BYTES:
        raise batches.BadBatchError(f"file: at most {MOST_CSV_BYTES:,} bytes")
    try:
        text = data.decode("utf-8-sig")
        first = text.lstrip().partition("\n")[0]
        mark = next((one for one in ";\t" if one in first and "," not in first), ",")
        cells = csv.reader(io.StringIO(text), delimiter=mark)
        lines = [row for row in cells if any(map(str.strip, row))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise batches.BadBatchError(f"file: no CSV in UTF-8: {error}") from error
    if not lines:
        raise batches.BadBatchError("file: it has no line")
    heading = [cell.strip().casefold() for cell in lines[0]]
    column = next((heading.index(name) for name in _HEADINGS if name in heading), None)
    rows = lines if column is None else lines[1:]
    at = column or 0
    return [row[at].strip() for row in rows if len(row) > at and row[at].strip()]


def validated(shape: Any, data: Any) -> dict[str, Any]:
    """Return a body as its shape reads it."""
    asked = shape(data=data)
    asked.is_valid(raise_exception=True)
    found: dict[str, Any] = asked.validated_data
    return found
