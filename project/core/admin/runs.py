"""Staff pages of runs: the list, the live page of one, cancelling and trying again."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    ChoicesCheckboxFilter,
    DropdownFilter,
    RangeDateTimeFilter,
)
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.paginator import InfinitePaginator

from project.core import dashboard, kinds, runs
from project.core.admin import acts, pages, run_page
from project.core.admin.asking import asking_back
from project.core.choices import UNENDED
from project.core.display import duration, meter, moment, pill
from project.core.errors import AppError
from project.core.models import Run

MAY_STEER = "core.change_run"


class KindFilter(DropdownFilter):
    """Runs of one kind; the kinds are known without asking the database."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, kind.label) for kind in sorted(kinds.known().values(), key=str)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Run)
class RunAdmin(pages.ReadOnly):
    """Runs; workers write them, staff cancel them and have them tried again."""

    list_display = ("state", "what", "phase", "done", "attempt", "created", "took", "asked_by")
    list_display_links = ("state", "what")
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        KindFilter,
        ("created_at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    list_select_related = ("requested_by",)
    search_fields = ("id", "subject", "request_id")
    search_help_text = "Search by subject, run id or request id"
    ordering = ("-created_at",)
    list_per_page = 50
    paginator = InfinitePaginator
    fields = ("kind",)
    actions = ("cancel_chosen", "retry_chosen")
    actions_detail = ("cancel", "retry")
    change_form_template = "admin/core/run/page.html"

    @display(description="Status", ordering="status")
    def state(self, run: Run) -> SafeString:
        return pill(run.status, run.get_status_display())

    @display(description="Run", header=True, ordering="kind")
    def what(self, run: Run) -> tuple[str, str]:
        kind = kinds.known().get(run.kind)
        return (kind.label if kind else run.kind, run.subject)

    @display(description="Progress", ordering="progress")
    def done(self, run: Run) -> SafeString:
        return meter(run.progress)

    @display(description="Asked", ordering="created_at")
    def created(self, run: Run) -> SafeString:
        return moment(run.created_at)

    @display(description="Took")
    def took(self, run: Run) -> str:
        return duration(run.duration_s)

    @display(description="Asked by")
    def asked_by(self, run: Run) -> str:
        return str(run.requested_by or run.schedule or "system")

    def has_steer_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Say whether the person may cancel runs and have them tried again."""
        return bool(request.user.has_perm(MAY_STEER))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        found: QuerySet[Run] = super().get_queryset(request)
        return found.select_related("requested_by", "retry_of")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        return []  # the page has its own buttons, shown while they make sense

    def get_urls(self) -> list[URLPattern]:
        board = self.admin_site.admin_view(self.board)
        news = self.admin_site.admin_view(self.news)
        return [
            path("board/", board, name="core_run_board"),
            path("<uuid:run_id>/news/", news, name="core_run_news"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        run = kwargs.get("obj") or context["original"]
        context["page"] = run_page.of(run, now=timezone.now())
        context["may_steer"] = self.has_steer_permission(request)
        found: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return found

    def board(self, request: HttpRequest) -> HttpResponse:
        """Answer what the dashboard shows: for pages without a websocket."""
        return JsonResponse(dashboard.board(now=timezone.now()))

    def news(self, request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
        """Answer a run's state and its events after ``since``: for pages without a websocket."""
        try:
            run = runs.find(run_id, by=pages.caller_of(request))
        except runs.RunNotFoundError as error:
            return JsonResponse({"code": error.code, "detail": str(error)}, status=404)
        since = request.GET.get("since", "0")
        found = run_page.newest_events(run, since=pages.number_of(since, default=0))
        return JsonResponse({"state": run_page.state_of(run, now=timezone.now()), "events": found})

    @action(
        description="Cancel",
        url_path="cancel",
        permissions=["steer"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Cancel this run?",
            "description": "It stops at its next safe point; what it has stored stays.",
            "form_class": None,
            "form_submit_text": "Cancel the run",
        },
    )
    def cancel(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Stop one run."""

        def deed() -> str:
            by = pages.caller_of(request)
            run = runs.cancel(runs.find(object_id, by=by), by=by, now=timezone.now())
            self.log_change(request, run, "Canceled.")
            if run.is_final:
                return "The run is canceled."
            return "The run stops at its next safe point."

        return pages.carry_out(request, deed, to=_page(object_id))

    @action(
        description="Retry",
        url_path="retry",
        permissions=["steer"],
        dialog={
            "title": "Run this again?",
            "description": "The same work is asked for again, as a run of its own.",
            "form_class": None,
            "form_submit_text": "Run again",
        },
    )
    def retry(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for the same work again, and lead to the new run."""
        by = pages.caller_of(request)
        try:
            old = runs.find(object_id, by=by)
            new = runs.retry(old, by=by, now=timezone.now())
        except AppError as error:
            messages.error(request, f"{error.title}: {error}")
            return pages.lead(request, _page(object_id))
        self.log_change(request, old, f"Retried as {new.pk}.")
        messages.success(request, "This is the new run.")
        return pages.lead(request, _page(new.pk))

    @admin.action(description="Cancel the chosen runs", permissions=["steer"])
    @asking_back(
        title="Cancel these runs?",
        text="Those that wait end now, those at work at their next safe point; what is done stays.",
        yes="Cancel the runs",
        count=lambda chosen: chosen.filter(status__in=UNENDED).count(),
    )
    def cancel_chosen(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        """Stop each chosen run that has not ended."""
        by, now = pages.caller_of(request), timezone.now()
        found = list(chosen.filter(status__in=UNENDED))
        acts.each(
            self, request, found, lambda run: runs.cancel(run, by=by, now=now), what="Canceled"
        )

    @admin.action(description="Run the chosen again", permissions=["steer"])
    @asking_back(
        title="Run these again?",
        text="Each that has ended is asked for once more, as a run of its own.",
        yes="Run again",
        count=lambda chosen: chosen.exclude(status__in=UNENDED).count(),
    )
    def retry_chosen(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        """Ask again for the work of each chosen run that has ended."""
        by, now = pages.caller_of(request), timezone.now()
        found = list(chosen.exclude(status__in=UNENDED))
        acts.each(
            self, request, found, lambda run: runs.retry(run, by=by, now=now), what="Asked again"
        )


def _page(run_id: object) -> str:
    return reverse("admin:core_run_change", args=[run_id])
