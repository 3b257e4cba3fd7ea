"""Columns and fields that pages of this app share: moments, milliseconds, values with a colour."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.contrib import admin
from django.utils.safestring import SafeString

from project.core.display import NOTHING, moment, pill
from proxies.choices import LeaseState, Outcome, Verdict
from proxies.models.pool import NEVER

Column = Callable[[Any], Any]
#: How what a holder met, or a check of a site, looks.
OUTCOMES: Final = {
    Outcome.OK: "good",
    Outcome.RATE_LIMITED: "warning",
    Outcome.CAPTCHA: "warning",
    Outcome.BLOCKED: "bad",
}
#: How the state of a lease looks.
LEASES: Final = {
    LeaseState.ACTIVE: "running",
    LeaseState.RELEASED: "good",
    LeaseState.REVOKED: "paused",
}
#: How what a check found looks.
VERDICTS: Final = {
    Verdict.OK: "good",
    Verdict.INTERCEPTED: "bad",
    Verdict.MISMATCH: "bad",
    Verdict.FORBIDDEN: "bad",
}


def at(name: str, title: str) -> Column:
    """Return the column of a moment: how far away it is, exact where the mouse rests."""

    @admin.display(description=title, ordering=name)
    def column(row: Any) -> SafeString:
        found = getattr(row, name)
        return moment(found if found is not None and found > NEVER else None)

    return column


def ms(name: str, title: str) -> Column:
    """Return the column of a time in milliseconds."""

    @admin.display(description=title, ordering=name)
    def column(row: Any) -> str | SafeString:
        found = getattr(row, name)
        return NOTHING if found is None else f"{found:,.0f} ms"

    return column


def toned(name: str, title: str, tones: Mapping[Any, str], *, usual: str = "warning") -> Column:
    """Return the column of a choice, as a label whose colour ``tones`` tells."""

    @admin.display(description=title, ordering=name)
    def column(row: Any) -> SafeString:
        found = getattr(row, name)
        words = getattr(row, f"get_{name}_display")()
        return pill(tones.get(found, usual), words) if found else NOTHING

    return column


def plain(name: str, title: str) -> Column:
    """Return the column of a text under a title of its own."""

    @admin.display(description=title, ordering=name)
    def column(row: Any) -> str | SafeString:
        return getattr(row, name) or NOTHING

    return column


def yes(name: str, title: str) -> Column:
    """Return the column of a yes, a no, or nobody knows."""

    @admin.display(description=title, ordering=name, boolean=True)
    def column(row: Any) -> bool | None:
        found: bool | None = getattr(row, name)
        return found

    return column
