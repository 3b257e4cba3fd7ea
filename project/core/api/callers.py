"""Who asks, as the verbs want to know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from project.core.callers import NOBODY, Caller

if TYPE_CHECKING:
    from rest_framework.request import Request


def caller_of(request: Request) -> Caller:
    """Return the caller that authentication left on the request."""
    found = getattr(request, "auth", None)
    return found if isinstance(found, Caller) else NOBODY
