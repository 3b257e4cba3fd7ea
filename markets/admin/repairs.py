"""Staff pages of the ledger of gaps and of the queue of repairs."""

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
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from markets import backfilling, ledger
from markets.admin.showing import OfSeries
from markets.choices import GapReason, GapState, TaskStatus
from markets.models import BackfillTask, Gap, Series
from project.core.admin import acts, pages
from project.core.admin.asking import asking_back
from project.core.display import meter, moment, pill

_LOOKS = {
    GapState.OPEN: "warning",
    GapState.FILLING: "running",
    GapState.CLOSED: "done",
    GapState.UNAVAILABLE: "neutral",
    TaskStatus.PENDING: "queued",
    TaskStatus.RUNNING: "running",
    TaskStatus.COMPLETED: "done",
    TaskStatus.FAILED: "failed",
}


class MarkForm(BaseDialogForm):
    """Why staff settle a gap."""

    reason = forms.ChoiceField(
        choices=[(reason.value, reason.label) for reason in ledger.BY_STAFF],
        initial=GapReason.MARKED_BY_STAFF,
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    note = forms.CharField(max_length=300, widget=UnfoldAdminTextInputWidget())


class MarkManyForm(forms.Form):
    """The same, of many gaps."""

    reason = forms.ChoiceField(
        choices=[(reason.value, reason.label) for reason in ledger.BY_STAFF],
        initial=GapReason.MARKED_BY_STAFF,
        widget=UnfoldAdminSelectWidget(),
    )
    note = forms.CharField(max_length=300, widget=UnfoldAdminTextInputWidget())


@admin.register(Gap)
class GapAdmin(OfSeries):
    """Gaps; the quality check finds them, staff may have them backfilled or settle them."""

    list_display = ("series", "range", "missing", "status", "reason", "looks", "found", "next_look")
    list_filter = ("state", "reason", "series__timeframe", "series__market__exchange")
    fields = (
        *("series", "range", "missing", "state", "reason", "evidence", "looks", "attempts"),
        *("next_look_at", "found_at", "closed_at"),
    )
    readonly_fields = fields
    actions = ("backfill_chosen", "mark_chosen")
    actions_detail = ("backfill", "mark")

    @display(description="State", ordering="state")
    def status(self, gap: Gap) -> SafeString:
        return pill(_LOOKS[GapState(gap.state)], gap.get_state_display())

    @display(description="Next look", ordering="next_look_at")
    def next_look(self, gap: Gap) -> str:
        return f"{gap.next_look_at:%Y-%m-%d %H:%M}" if gap.next_look_at else "—"

    @admin.action(description="Backfill the chosen gaps now", permissions=["manage"])
    @asking_back(
        title="Backfill these gaps now?",
        text="They are asked for again at once, due or not; adjoining ones become one task.",
        yes="Backfill",
        count=lambda chosen: chosen.filter(state=GapState.OPEN).count(),
    )
    def backfill_chosen(self, request: HttpRequest, chosen: QuerySet[Gap]) -> None:
        """Make and start tasks for the open ones among the chosen gaps."""
        keys = list(chosen.values_list("pk", flat=True))
        acts.together(
            self,
            request,
            chosen.filter(state=GapState.OPEN),
            lambda: f"Made {_backfill(keys, request)} backfill task(s).",
        )

    @admin.action(description="Mark the chosen gaps as not to be had", permissions=["manage"])
    @asking_back(
        title="Mark these gaps as not to be had?",
        text="They are not asked for again; the reason says whether they count as missing.",
        yes="Mark",
        count=lambda chosen: chosen.filter(state__in=[GapState.OPEN, GapState.FILLING]).count(),
        form_class=MarkManyForm,
    )
    def mark_chosen(self, request: HttpRequest, chosen: QuerySet[Gap], form: MarkManyForm) -> None:
        """Settle the chosen gaps: they are not asked for again."""
        told = {"note": form.cleaned_data["note"], "user": str(request.user)}
        reason, now = GapReason(form.cleaned_data["reason"]), timezone.now()
        acts.each(
            self,
            request,
            chosen,
            lambda gap: ledger.mark(gap, reason=reason, now=now, **told),
            what=f"Marked as not to be had ({reason.label})",
        )

    @action(
        description="Backfill",
        url_path="backfill",
        icon="healing",
        permissions=["manage"],
        dialog={
            "title": "Backfill this gap now?",
            "description": "It is asked for again at once.",
            "form_class": None,
            "form_submit_text": "Backfill",
        },
    )
    def backfill(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Make and start a task for one gap."""

        def deed() -> str:
            return f"Made {_backfill([pages.key_of(object_id)], request)} backfill task(s)."

        return pages.carry_out(request, deed, to=_page("gap", object_id))

    @action(
        description="Not to be had",
        url_path="mark",
        icon="block",
        permissions=["manage"],
        dialog={
            "title": "Mark this gap as not to be had?",
            "description": "It is not asked for again.",
            "form_class": MarkForm,
            "form_submit_text": "Mark",
        },
    )
    def mark(self, request: HttpRequest, form: MarkForm, object_id: str) -> HttpResponse:
        """Settle one gap, with a note."""

        def deed() -> str:
            gap = pages.row_of(Gap.objects.all(), object_id)
            told = {"note": form.cleaned_data["note"], "user": str(request.user)}
            reason = GapReason(form.cleaned_data["reason"] or GapReason.MARKED_BY_STAFF)
            if not ledger.mark(gap, reason=reason, now=timezone.now(), **told):
                return "The gap is over already."
            return "The gap is marked as not to be had."

        return pages.carry_out(request, deed, to=_page("gap", object_id))


def _backfill(keys: list[int], request: HttpRequest) -> int:
    now = timezone.now()
    series = Series.objects.filter(gaps__in=keys).distinct()
    made = sum(
        len(backfilling.make_tasks(one, now=now, any_time=True, only=keys)) for one in series
    )
    backfilling.start_due(now=now, by=pages.caller_of(request))
    return made


@admin.register(BackfillTask)
class BackfillTaskAdmin(OfSeries):
    """Backfill tasks: the queue, and what became of each."""

    list_display = (
        *("id", "series", "range", "state", "done", "candles_found", "priority"),
        *("attempts", "created", "run_link"),
    )
    list_filter = ("status", "origin", "series__timeframe", "series__market__exchange")
    fields = (
        *("series", "range", "state", "done", "candles_found", "priority", "origin"),
        *("attempts", "next_try_at", "error_type", "error_message", "run_link"),
        *("requested_by", "created_at", "ended_at"),
    )
    readonly_fields = fields
    actions = ("retry_chosen",)
    actions_list = ("retry_failed",)
    actions_detail = ("retry",)

    @display(description="Status", ordering="status")
    def state(self, task: BackfillTask) -> SafeString:
        return pill(_LOOKS[TaskStatus(task.status)], task.get_status_display())

    @display(description="Progress", ordering="progress")
    def done(self, task: BackfillTask) -> SafeString:
        return meter(task.progress)

    @display(description="Made", ordering="created_at")
    def created(self, task: BackfillTask) -> SafeString:
        return moment(task.created_at)

    @display(description="Last attempt")
    def run_link(self, task: BackfillTask) -> SafeString | str:
        if task.run_id is None:
            return "—"
        page = reverse("admin:core_run_change", args=[task.run_id])
        return format_html('<a href="{}">Show the run</a>', page)

    @admin.action(description="Try the chosen tasks again", permissions=["manage"])
    @asking_back(
        title="Try these tasks again?",
        text="Those that failed go on from where they stopped.",
        yes="Try again",
        count=lambda chosen: chosen.filter(status=TaskStatus.FAILED).count(),
    )
    def retry_chosen(self, request: HttpRequest, chosen: QuerySet[BackfillTask]) -> None:
        """Try each chosen task that failed again, from where it stopped."""
        by, now = pages.caller_of(request), timezone.now()
        failed = chosen.filter(status=TaskStatus.FAILED)
        acts.each(
            self,
            request,
            failed,
            lambda task: backfilling.retry(task, by=by, now=now),
            what="Tried again",
        )

    @action(
        description="Try all failed again",
        url_path="retry-failed",
        icon="refresh",
        permissions=["manage"],
        dialog={
            "title": "Try all failed tasks again?",
            "description": "Each goes on from where it stopped; canceled ones are left alone.",
            "form_class": None,
            "form_submit_text": "Try again",
        },
    )
    def retry_failed(self, request: HttpRequest, form: Any) -> HttpResponse:
        """Let all tasks that failed wait again; the most urgent start at once."""

        def deed() -> str:
            by, now = pages.caller_of(request), timezone.now()
            retried = backfilling.retry_failed_tasks(now=now, by=by, anything=True)
            return f"{retried} task(s) are tried again."

        return pages.carry_out(request, deed, to=reverse("admin:markets_backfilltask_changelist"))

    @action(
        description="Try again",
        url_path="retry",
        icon="refresh",
        permissions=["manage"],
        dialog={
            "title": "Try this task again?",
            "description": "It goes on from where it stopped.",
            "form_class": None,
            "form_submit_text": "Try again",
        },
    )
    def retry(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Try one failed task again."""

        def deed() -> str:
            task = backfilling.find(pages.key_of(object_id))
            backfilling.retry(task, by=pages.caller_of(request), now=timezone.now())
            return f"Task {task.pk} is tried again."

        return pages.carry_out(request, deed, to=_page("backfilltask", object_id))


def _page(model: str, key: object) -> str:
    return reverse(f"admin:markets_{model}_change", args=[key])
