"""How query parameters are read: moments, numbers, choices; a wrong one is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import make_aware

from project.core.errors import FieldProblem, InvalidInputError
from project.core.moments import to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rest_framework.request import Request


def refuse(name: str, code: str, detail: str) -> InvalidInputError:
    """Return the error that names one parameter."""
    return InvalidInputError(f"{name}: {detail}", fields=(FieldProblem(name, code, detail),))


def require_known(request: Request, names: Sequence[str]) -> None:
    """Refuse parameters that the endpoint doesn't have."""
    unknown = [name for name in request.query_params if name not in names]
    if unknown:
        problems = tuple(
            FieldProblem(name, "unknown_field", "there is no such parameter") for name in unknown
        )
        raise InvalidInputError(f"{unknown[0]}: there is no such parameter", fields=problems)


def choice(request: Request, name: str, known: Sequence[str], usual: str = "") -> str:
    """Return a parameter that is one of ``known``; ``usual`` where it is left out."""
    found = request.query_params.get(name, usual)
    if found != usual and found not in known:
        raise refuse(name, "invalid_choice", f"one of {', '.join(known)}")
    return found


def number(request: Request, name: str, *, most: int) -> int | None:
    """Return a parameter that is a whole number from 1 on; None where it is left out."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:20]) <= most):
        raise refuse(name, "out_of_range", f"a whole number from 1 to {most}")
    return int(text)


def truth(request: Request, name: str) -> bool | None:
    """Return a parameter that is ``true`` or ``false``, as Python or a form writes them, too."""
    found = request.query_params.get(name, "")
    if found and found.lower() not in _TRUTHS:
        raise refuse(name, "invalid_choice", "one of true, false")
    return _TRUTHS[found.lower()] if found else None


_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


#: The year 10000.
_TOO_LATE_MS = 253_402_300_800_000


def moment_ms(request: Request, name: str) -> int | None:
    """Return a moment, ISO 8601 or milliseconds since 1970, in milliseconds; None if left out."""
    text = request.query_params.get(name, "").strip().replace(" ", "+")
    if not text:
        return None
    # 20240101 is a date; 0 is the beginning, as clients write it
    if text == "0" or (text.isascii() and text.isdecimal() and len(text) > 8):  # noqa: PLR2004
        if len(text) < 16 and int(text) < _TOO_LATE_MS:  # noqa: PLR2004 -- endless numbers are slow
            return int(text)
        raise refuse(name, "out_of_range", "a moment before the year 10000")
    return to_ms(_moment(name, text))


def _moment(name: str, text: str) -> datetime:
    expected = "a moment such as 2024-01-01T00:00:00Z, or milliseconds since 1970"
    try:
        found: Any = parse_datetime(text)
        if found is None and (day := parse_date(text)) is not None:
            found = parse_datetime(f"{day.isoformat()}T00:00:00")
    except ValueError as error:
        raise refuse(name, "invalid", expected) from error
    if found is None or found.year < 1970:  # noqa: PLR2004 -- candles begin there
        raise refuse(name, "invalid", expected)
    aware: datetime = found if found.tzinfo else make_aware(found)
    return aware
