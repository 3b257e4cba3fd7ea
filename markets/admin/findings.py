"""Staff pages of what was wrong or odd about candles."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from markets import reviewing
from markets.admin.showing import OfSeries, at
from markets.choices import ODD, FindingKind
from markets.models import Finding
from project.core.admin import acts, pages
from project.core.admin.asking import asking_back
from project.core.display import pill


class SettleForm(BaseDialogForm):
    """Why staff hold it for right."""

    note = forms.CharField(max_length=300, required=False, widget=UnfoldAdminTextInputWidget())


class NoteForm(forms.Form):
    """The same, of many."""

    note = forms.CharField(max_length=300, required=False, widget=UnfoldAdminTextInputWidget())


class SettledFilter(admin.SimpleListFilter):
    """Whether somebody said that it is right."""

    title = "settled"
    parameter_name = "settled"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Counts"), ("yes", "Settled by staff")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Finding]) -> QuerySet[Finding]:
        if self.value() in {"no", "yes"}:
            return queryset.filter(settled_at__isnull=self.value() == "no")
        return queryset


@admin.register(Finding)
class FindingAdmin(OfSeries):
    """Findings: made by the checks; staff may say that one is right, and it doesn't count then."""

    list_display = ("series", "kind_shown", "candle", "count", "seen", "kept", "found", "settled")
    list_filter = ("kind", SettledFilter, "series__timeframe", "series__market__exchange")
    fields = (
        *("series", "kind", "range", "count", "is_stored", "detail", "source", "found_at"),
        *("last_seen_at", "times_seen", "settled_at", "settled_by", "note", "chart"),
    )
    readonly_fields = fields
    actions = ("settle_chosen",)
    actions_detail = ("settle", "reopen")

    @display(description="Kind", ordering="kind")
    def kind_shown(self, finding: Finding) -> SafeString:
        tone = "warning" if finding.kind in ODD else "bad"
        return pill(tone, FindingKind(finding.kind).label)

    @display(description="Candle (UTC)", ordering="start_ms")
    def candle(self, finding: Finding) -> str:
        return at(finding.start_ms)

    @display(description="Seen", ordering="times_seen")
    def seen(self, finding: Finding) -> str:
        return "once" if finding.times_seen == 1 else f"{finding.times_seen:,} times"

    @display(description="Stored", boolean=True)
    def kept(self, finding: Finding) -> bool:
        return bool(finding.is_stored)

    @display(description="Settled by", ordering="settled_by")
    def settled(self, finding: Finding) -> str:
        return finding.settled_by or "—"

    @display(description="Market")
    def chart(self, finding: Finding) -> SafeString:
        page = reverse("admin:markets_market_change", args=[finding.series.market_id])
        return format_html('<a class="mr-link" href="{}">Show its chart</a>', page)

    @admin.action(description="Say that the chosen ones are right", permissions=["manage"])
    @asking_back(
        title="Are these right as they are?",
        text="The findings stay, and don't count any more: the scores of their days rise.",
        yes="They are right",
        count=lambda chosen: chosen.filter(settled_at__isnull=True).count(),
        form_class=NoteForm,
    )
    def settle_chosen(
        self, request: HttpRequest, chosen: QuerySet[Finding], form: NoteForm
    ) -> None:
        """Settle the chosen findings: they don't count any more."""
        told = {"note": form.cleaned_data["note"], "user": str(request.user)}
        now = timezone.now()
        acts.each(
            self,
            request,
            chosen,
            lambda found: reviewing.settle(found, now=now, **told),
            what="Settled",
        )

    @action(
        description="It is right",
        url_path="settle",
        icon="task_alt",
        permissions=["manage"],
        dialog={
            "title": "Is this right as it is?",
            "description": "The finding stays, and doesn't count any more.",
            "form_class": SettleForm,
            "form_submit_text": "It is right",
        },
    )
    def settle(self, request: HttpRequest, form: SettleForm, object_id: str) -> HttpResponse:
        """Settle one finding, with a note."""

        def deed() -> str:
            found = pages.row_of(Finding.objects.all(), object_id)
            told = {"note": form.cleaned_data["note"], "user": str(request.user)}
            if not reviewing.settle(found, now=timezone.now(), **told):
                return "It was settled before."
            return "The finding doesn't count any more."

        return pages.carry_out(request, deed, to=_page(object_id))

    @action(
        description="It counts",
        url_path="reopen",
        icon="undo",
        permissions=["manage"],
        dialog={
            "title": "Let it count again?",
            "description": "It lowers the score of its day again.",
            "form_class": None,
            "form_submit_text": "It counts",
        },
    )
    def reopen(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let one finding count again."""

        def deed() -> str:
            found = pages.row_of(Finding.objects.all(), object_id)
            return "It counts again." if reviewing.reopen(found) else "It does count."

        return pages.carry_out(request, deed, to=_page(object_id))


def _page(key: object) -> str:
    return reverse("admin:markets_finding_change", args=[key])
