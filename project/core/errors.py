"""The families of failure; every expected error of the project belongs to one.

A module defines its own errors next to the code that raises them and derives them
from a family here. The family alone decides the HTTP status (``core/api/problems.py``)
and whether a run is tried again (``core/working.py``). Anything else is a bug.
"""

from dataclasses import dataclass
from typing import Any, ClassVar


class AppError(Exception):
    """A failure we expect; its text may be shown to the client.

    Args:
        detail: what went wrong, for a person.
        extra: further members of the HTTP answer, e.g. ``run_id="…"``.
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Error"

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.extra = extra


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of the input; ``field`` is its path, e.g. ``symbols.0.name``."""

    field: str
    code: str
    detail: str


class InvalidInputError(AppError):
    """The request can never succeed as it stands."""

    code = "invalid"
    title = "Invalid input"

    def __init__(self, detail: str = "", *, fields: tuple[FieldProblem, ...] = (), **extra: Any):
        super().__init__(detail, **extra)
        self.fields = fields


class NotFoundError(AppError):
    """The thing does not exist, or the caller may not know that it does."""

    code = "not_found"
    title = "Not found"


class ForbiddenError(AppError):
    """Nobody may do this here, or not this caller."""

    code = "permission_denied"
    title = "Not allowed"


class ConflictError(AppError):
    """The thing is not in a state that allows this now."""

    code = "conflict"
    title = "Conflict"


class QuotaExceededError(AppError):
    """The caller's plan does not allow more."""

    code = "quota_exceeded"
    title = "Quota exceeded"


class TransientError(AppError):
    """The outside world failed; the same call may succeed later.

    Args:
        detail: what went wrong, for a person.
        retry_after_s: seconds after which the other side said to come back, where it did.
    """

    code = "unavailable"
    title = "Temporarily unavailable"

    def __init__(self, detail: str = "", *, retry_after_s: float | None = None, **extra: Any):
        super().__init__(detail, **extra)
        self.retry_after_s = retry_after_s


class PermanentError(AppError):
    """The outside world refused for good; trying again is useless."""

    code = "upstream_refused"
    title = "Refused by the other side"
