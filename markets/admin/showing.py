"""How rows that machines write look on the markets' staff pages, and who may act on them."""

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from project.core.admin import pages
from project.core.display import moment
from project.core.moments import from_ms


def at(moment_ms: int | None) -> str:
    """Return a moment in UTC; a dash where there is none."""
    return "—" if moment_ms is None else f"{from_ms(moment_ms):%Y-%m-%d %H:%M}"


def span(start_ms: int | None, end_ms: int | None) -> str:
    """Return a half-open range in UTC; the day is told once where it is the same."""
    start, end = at(start_ms), at(end_ms)
    return f"{start} to {end[11:] if end[:10] == start[:10] else end}"


class OfSeries(pages.ReadOnly):
    """Rows of a series, the newest first: many, written by machines, acted on by staff."""

    list_select_related = ("series__market__exchange",)
    search_fields = ("series__market__symbol",)
    ordering = ("-id",)
    paginator = InfinitePaginator

    def has_manage_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Say whether the person may change such rows: the acts, since no form does."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    @display(description="Range (UTC)", ordering="start_ms")
    def range(self, row: Any) -> SafeString:
        return format_html('<span class="mr-time">{}</span>', span(row.start_ms, row.end_ms))

    @display(description="Found", ordering="found_at")
    def found(self, row: Any) -> SafeString:
        return moment(row.found_at)
