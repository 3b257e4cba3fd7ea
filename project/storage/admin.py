"""Staff pages of backups and of the database pools."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from project.core.admin import pages
from project.core.display import duration, moment, pill
from project.storage import backing_up, charting, drilling
from project.storage.choices import BackupState
from project.storage.models import Backup, PoolSample

_STATES = {BackupState.GOOD: "good", BackupState.BAD: "bad", BackupState.GONE: "warning"}
_LIST = "admin:storage_backup_changelist"
MAY_BACK_UP = "storage.add_backup"


@admin.register(Backup)
class BackupAdmin(pages.ReadOnly):
    """Backups; workers make them, staff ask for one, have one verified, hold a drill."""

    list_display = ("life", "what", "size", "rows_held", "took", "verified", "drilled", "copied")
    list_display_links = ("what",)
    list_filter = ("state",)
    ordering = ("-made_at",)
    actions_list = ("back_up_now", "drill")
    actions_row = ("verify",)
    actions_detail = ("verify",)
    list_select_related = ("run",)

    @display(description="State", ordering="state")
    def life(self, row: Backup) -> SafeString:
        return pill(_STATES[BackupState(row.state)], row.get_state_display())

    @display(description="Backup", header=True, ordering="made_at")
    def what(self, row: Backup) -> tuple[SafeString, str]:
        return (moment(row.made_at), row.problem or row.file)

    @display(description="Size", ordering="size_bytes")
    def size(self, row: Backup) -> str:
        return filesizeformat(row.size_bytes)

    @display(description="Rows")
    def rows_held(self, row: Backup) -> str:
        return f"{row.rows:,}"

    @display(description="Took", ordering="took_s")
    def took(self, row: Backup) -> str:
        return duration(row.took_s)

    @display(description="Verified", ordering="verified_at")
    def verified(self, row: Backup) -> SafeString:
        return moment(row.verified_at)

    @display(description="Drilled", ordering="drilled_at")
    def drilled(self, row: Backup) -> SafeString:
        return moment(row.drilled_at)

    @display(description="Copy", ordering="copied_at")
    def copied(self, row: Backup) -> SafeString:
        if row.copy_error:
            return pill("bad", "Not copied")
        return moment(row.copied_at)

    def has_ask_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Say whether the person may ask for backups."""
        return bool(request.user.has_perm(MAY_BACK_UP))

    @action(
        description="Back up now",
        url_path="back_up_now",
        icon="backup",
        permissions=["ask"],
        dialog={
            "title": "Back the database up now?",
            "description": "It is made in the background while everything goes on.",
            "form_class": None,
            "form_submit_text": "Back up",
        },
    )
    def back_up_now(self, request: HttpRequest, form: Any) -> HttpResponse:
        """Ask for a backup."""

        def deed() -> str:
            run = backing_up.ask(by=pages.caller_of(request), now=timezone.now())
            return f"The backup is at work, as run {run.pk}."

        return pages.carry_out(request, deed, to=reverse(_LIST))

    @action(
        description="Drill",
        url_path="drill",
        icon="fact_check",
        permissions=["ask"],
        dialog={
            "title": "Hold a drill?",
            "description": "A fresh backup is restored into a scratch database and compared, "
            "table by table.",
            "form_class": None,
            "form_submit_text": "Hold it",
        },
    )
    def drill(self, request: HttpRequest, form: Any) -> HttpResponse:
        """Ask for a drill."""

        def deed() -> str:
            run = drilling.ask(by=pages.caller_of(request), now=timezone.now())
            return f"The drill is at work, as run {run.pk}."

        return pages.carry_out(request, deed, to=reverse(_LIST))

    @action(
        description="Verify",
        url_path="verify",
        icon="verified",
        permissions=["ask"],
        dialog={
            "title": "Verify this backup?",
            "description": "Its file is read again, unpacked, opened and counted.",
            "form_class": None,
            "form_submit_text": "Verify",
        },
    )
    def verify(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for one backup to be verified."""

        def deed() -> str:
            backup = pages.row_of(Backup.objects.all(), object_id)
            caller = pages.caller_of(request)
            run = backing_up.ask_to_verify(backup, by=caller, now=timezone.now())
            self.log_change(request, backup, f"Verified by hand, as run {run.pk}.")
            return f"{backup.file} is being verified, as run {run.pk}."

        return pages.carry_out(request, deed, to=reverse(_LIST))


@admin.register(PoolSample)
class PoolSampleAdmin(pages.ReadOnly):
    """Statistics of the database pools: the live chart, and its rows."""

    list_display = ("when", "grain_s", "role", "alias", "in_use", "idle", "waiting", "wait_p95")
    list_filter = ("grain_s", "role")
    ordering = ("-second",)
    paginator = InfinitePaginator
    change_list_template = "admin/storage/poolsample/change_list.html"

    @display(description="When", ordering="second")
    def when(self, row: PoolSample) -> SafeString:
        return moment(row.at)

    @display(description="Wait P95, ms", ordering="wait_p95_seconds")
    def wait_p95(self, row: PoolSample) -> str:
        return f"{row.wait_p95_seconds * 1000:.1f}"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("live/", view(self.live), name="storage_poolsample_live"),
            path("feed/", view(self.feed), name="storage_poolsample_feed"),
            *super().get_urls(),
        ]

    def live(self, request: HttpRequest) -> HttpResponse:
        """Show the live chart."""
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        context = {
            **self.admin_site.each_context(request),
            "title": "Database pools",
            "opts": self.opts,
            "spans": charting.SPANS,
            "series": charting.SERIES,
        }
        return TemplateResponse(request, "admin/storage/poolsample/live.html", context)

    def feed(self, request: HttpRequest) -> HttpResponse:
        """Answer what the chart draws: the samples of the last so many minutes."""
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        given = request.GET.get("minutes", "")
        minutes = pages.number_of(given, default=charting.SPANS[0][0])
        return JsonResponse(charting.feed(minutes=minutes, now=timezone.now()))
