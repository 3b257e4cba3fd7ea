"""The overview of the pools: charts, map, targets, sources; and the rows they are made of."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from project.core.admin import pages
from project.core.display import duration, moment, pill
from proxies import charting, overview
from proxies.choices import FetchOutcome
from proxies.models import PoolSnapshot, SourceFetch

_OUTCOMES = {FetchOutcome.SUCCESS: "good", FetchOutcome.EMPTY: "warning", FetchOutcome.ERROR: "bad"}


@admin.register(PoolSnapshot)
class PoolSnapshotAdmin(pages.ReadOnly):
    """How the pools look and looked."""

    list_display = ("when", "grain_s", "pool_shown", "size", "leases", "score_p50", "latency_p95")
    list_filter = ("grain_s", "pool")
    ordering = ("-second", "pool")
    list_per_page = 20
    paginator = InfinitePaginator
    change_list_template = "admin/proxies/poolsnapshot/change_list.html"

    @display(description="When", ordering="second")
    def when(self, row: PoolSnapshot) -> SafeString:
        return moment(row.at)

    @display(description="Pool", ordering="pool")
    def pool_shown(self, row: PoolSnapshot) -> str:
        return row.pool or "all"

    def get_urls(self) -> list[URLPattern]:
        feed = self.admin_site.admin_view(self.feed)
        return [path("feed/", feed, name="proxies_poolsnapshot_feed"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = {
            "title": "Pool overview",
            "spans": charting.SPANS,
            "first_span": charting.first_span(now=timezone.now()),
        }
        found: HttpResponse = super().changelist_view(request, {**more, **(extra_context or {})})
        return found

    def feed(self, request: HttpRequest) -> HttpResponse:
        """Answer what the overview draws: the history of the last so many minutes, and now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        given = request.GET.get("minutes", "")
        minutes = pages.number_of(given, default=charting.SPANS[1][0])
        now = timezone.now()
        return JsonResponse(
            {
                "now": overview.stats(now=now),
                "history": charting.history(minutes=minutes, now=now),
                "countries": charting.countries(),
                "targets": charting.targets(now=now),
                "sources": charting.sources(now=now),
            }
        )


@admin.register(SourceFetch)
class SourceFetchAdmin(pages.ReadOnly):
    """What fetches of sources came to."""

    list_display = ("life", "source", "fetched", "took", "accepted", "new", "rejected")
    list_filter = (
        ("outcome", ChoicesCheckboxFilter),
        ("error_type", ChoicesCheckboxFilter),
        ("at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    list_select_related = ("source",)
    search_fields = ("source__name",)
    ordering = ("-id",)
    paginator = InfinitePaginator

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        return lookup == "source__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    @display(description="Outcome", ordering="outcome")
    def life(self, row: SourceFetch) -> SafeString:
        text = row.get_error_type_display() or row.get_outcome_display()
        return pill(_OUTCOMES[FetchOutcome(row.outcome)], text)

    @display(description="At", ordering="at")
    def fetched(self, row: SourceFetch) -> SafeString:
        return moment(row.at)

    @display(description="Took", ordering="took_s")
    def took(self, row: SourceFetch) -> str:
        return duration(row.took_s)
