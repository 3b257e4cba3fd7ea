"""Staff pages of the audit trail: who did what, from which value to which; only to read."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    ChoicesCheckboxFilter,
    DropdownFilter,
    RangeDateTimeFilter,
)
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from project.core.admin.pages import ReadOnly, number_of
from project.core.choices import Act
from project.core.display import NOTHING, changes, moment, pill
from project.core.models import AuditEntry

_TONES = {Act.ADDED: "good", Act.CHANGED: "running", Act.DELETED: "bad", Act.DONE: "paused"}
#: A list shows so many of an entry's changes; its page shows all.
_SHOWN = 4


class WhatFilter(DropdownFilter):
    """What was done to objects of one model; the models are known without asking the database."""

    title = "what"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        registered = [model._meta for model in admin.site._registry]  # noqa: SLF001 -- Django's documented names
        names = [(each.label_lower, str(each.verbose_name).capitalize()) for each in registered]
        return sorted(names, key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> Any:
        return queryset.filter(model=self.value()) if self.value() else queryset


class WhoFilter(DropdownFilter):
    """What one member of staff did."""

    title = "who"
    parameter_name = "user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        staff = get_user_model()._default_manager.filter(is_staff=True)[:200]  # noqa: SLF001 -- as above
        return [(str(user.pk), str(user)) for user in staff]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> Any:
        user_id = number_of(self.value() or "", default=0)
        return queryset.filter(user_id=user_id) if user_id else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    """What staff did, in the console, over the API and by commands; the newest first."""

    list_display = ("when", "who", "deed", "what", "how", "way", "asked")
    list_display_links = ("when",)
    list_filter = (
        ("act", ChoicesCheckboxFilter),
        ("channel", ChoicesCheckboxFilter),
        WhatFilter,
        WhoFilter,
        ("at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    list_per_page = 50
    search_fields = ("object_name", "object_id", "said", "user_name", "request_id", "address")
    search_help_text = "Search by object, person, words, request id or address"
    ordering = ("-at", "-pk")
    paginator = InfinitePaginator
    fields = ("when", "who", "deed", "what", "said", "all_changes", "way", "asked")
    readonly_fields = fields

    @display(description="When", ordering="at")
    def when(self, row: AuditEntry) -> SafeString:
        return moment(row.at)

    @display(description="Who", ordering="user_name")
    def who(self, row: AuditEntry) -> str:
        return row.user_name or NOTHING

    @display(description="Did")
    def deed(self, row: AuditEntry) -> SafeString:
        return pill(_TONES.get(Act(row.act), "paused"), row.get_act_display())

    @display(description="What")
    def what(self, row: AuditEntry) -> SafeString:
        return format_html(
            '<div>{}</div><div class="mr-faint">{}</div>', _linked(row), _name_of(row.model)
        )

    @display(description="How")
    def how(self, row: AuditEntry) -> SafeString:
        if not row.changes:
            return format_html("{}", row.said)
        more = len(row.changes) - _SHOWN
        left = f"and {more} more" if more > 0 else ""
        said = row.said if row.act == Act.DONE else ""
        return format_html("{}{}{}", said, changes(row.changes[:_SHOWN]), left)

    @display(description="Changes")
    def all_changes(self, row: AuditEntry) -> SafeString:
        return changes(row.changes) if row.changes else NOTHING

    @display(description="By way of", ordering="channel")
    def way(self, row: AuditEntry) -> SafeString:
        lines = [str(row.address)] if row.address else []
        if row.key_id:
            lines.append(f"key {row.key_id}")
        return format_html(
            '<div>{}</div><div class="mr-faint">{}</div>',
            row.get_channel_display(),
            ", ".join(lines),
        )

    @display(description="Request")
    def asked(self, row: AuditEntry) -> SafeString:
        if not row.request_id:
            return NOTHING
        return format_html(
            '<a class="mr-mono mr-link" href="{}" title="Runs of this request">{}</a>',
            reverse("admin:core_run_changelist", query={"q": row.request_id}),
            f"{row.request_id[:12]}…" if len(row.request_id) > 13 else row.request_id,  # noqa: PLR2004 -- what a column has room for
        )


def _name_of(label: str) -> str:
    try:
        return str(apps.get_model(label)._meta.verbose_name)  # noqa: SLF001 -- as above
    except (LookupError, ValueError):
        return label


def _linked(row: AuditEntry) -> SafeString:
    """Return an object's name, as a link to its page where it has one still."""
    name = row.object_name or "—"
    if row.act == Act.DELETED or not row.object_id or not row.model:
        return format_html("{}", name)
    try:
        url = reverse(f"admin:{row.model.replace('.', '_', 1)}_change", args=[row.object_id])
    except NoReverseMatch:
        return format_html("{}", name)
    return format_html('<a class="mr-link" href="{}">{}</a>', url, name)
