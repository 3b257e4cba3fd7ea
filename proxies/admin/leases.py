"""Staff pages of lending: leases, the slots behind them, sessions."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter

from project.core.admin import acts
from project.core.admin.asking import asking_back
from project.core.admin.pages import ReadOnly
from project.core.display import NOTHING, moment
from proxies import explaining, returning
from proxies.admin.columns import LEASES, OUTCOMES, at, ms, toned
from proxies.admin.sections import LeaseSection, with_neighbours
from proxies.choices import LeaseState
from proxies.models import Lease, LeaseSlot, Mending, StickySession

_STATE: Final = toned("state", "State", LEASES)
_TAKEN: Final = at("acquired_at", "Taken")
_LASTS: Final = at("expires_at", "Lasts until")
_ENDED: Final = at("ended_at", "Ended")
_RETURNED: Final = at("released_at", "Given back")
_OUTCOME: Final = toned("outcome", "Outcome", OUTCOMES)
_LATENCY: Final = ms("latency_ms", "Latency")


@admin.register(Lease)
class LeaseAdmin(ReadOnly):
    """Who has, and had, which proxy."""

    list_display = ("id", _STATE, "proxy", "holder", "target", _TAKEN, "until", _OUTCOME)
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("outcome", ChoicesCheckboxFilter),
        ("pool", ChoicesCheckboxFilter),
        ("acquired_at", RangeDateTimeFilter),
        "is_late",
    )
    list_filter_submit = True
    list_select_related = ("proxy",)
    list_sections = (LeaseSection,)
    list_per_page = 50
    search_fields = ("holder", "target", "request_id", "session", "proxy__host")
    ordering = ("-id",)
    # without the token: who has it may give the proxy back
    fieldsets = (
        (None, {"fields": (_STATE, "proxy", "pool", "target", "holder", "requested_by")}),
        ("Why", {"fields": ("chosen",)}),
        ("Time", {"fields": (_TAKEN, _LASTS, "renewals", _ENDED, _RETURNED, "is_late")}),
        ("What came of it", {"fields": (_OUTCOME, "status_code", _LATENCY, "size")}),
        ("Asked as", {"fields": ("request_id", "session", "exclusive_key", "n")}),
    )
    readonly_fields = (
        *(_STATE, _TAKEN, _LASTS, _ENDED, _RETURNED, _OUTCOME, _LATENCY),
        "chosen",
        "size",
    )
    actions = ("end",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lease]:
        found: QuerySet[Lease] = super().get_queryset(request)
        return with_neighbours(found.defer("proxy__password"))

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("proxies.change_lease")

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        return lookup == "proxy__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    @admin.display(description="Until", ordering="expires_at")
    def until(self, lease: Lease) -> SafeString:
        """Tell when it ended, else when it will."""
        return moment(lease.ended_at or lease.expires_at)

    @admin.display(description="Bytes")
    def size(self, lease: Lease) -> str | SafeString:
        return NOTHING if lease.size_bytes is None else filesizeformat(lease.size_bytes)

    @admin.display(description="Why this proxy")
    def chosen(self, lease: Lease) -> str:
        """Tell what spoke for it when it was lent."""
        return explaining.choice(lease).text

    @admin.action(description="End the chosen leases", permissions=["manage"])
    @asking_back(
        title="End these leases?",
        text="Their holders learn of it when they next renew, or give back.",
        yes="End them",
        count=lambda chosen: chosen.filter(state=LeaseState.ACTIVE).count(),
    )
    def end(self, request: HttpRequest, chosen: QuerySet[Lease]) -> None:
        """End those that stand; their holders learn of it when they next renew."""
        now, standing = timezone.now(), chosen.filter(state=LeaseState.ACTIVE)
        acts.together(
            self,
            request,
            standing,
            lambda: f"Ended {returning.revoke(chosen, now=now)} lease(s).",
        )


@admin.register(LeaseSlot)
class LeaseSlotAdmin(ReadOnly):
    """The rows that hold the claims."""

    list_display = ("exclusive_key", "n", "proxy", at("held_until", "Held until"))
    list_select_related = ("proxy",)
    search_fields = ("exclusive_key",)
    ordering = ("-held_until", "id")
    exclude = ("token",)


@admin.register(StickySession)
class StickySessionAdmin(ReadOnly):
    """Which session stays with which proxy."""

    list_display = ("holder", "session", "proxy", at("used_at", "Used"))
    list_select_related = ("proxy",)
    search_fields = ("holder", "session")
    ordering = ("-used_at",)


@admin.register(Mending)
class MendingAdmin(ReadOnly):
    """Slots and records that disagreed, and what was done."""

    list_display = (at("at", "When"), "done", "lease", "exclusive_key", "n")
    list_filter = ("done",)
    list_select_related = ("lease",)
    search_fields = ("exclusive_key",)
    ordering = ("-id",)
