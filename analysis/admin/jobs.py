"""Staff pages of jobs: what became of them, cancelling, trying again, another strategy."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from analysis import jobs
from analysis.models import Job, Strategy
from project.core.admin import acts, pages
from project.core.admin.asking import asking_back
from project.core.choices import RunStatus
from project.core.display import NOTHING, meter, moment, pill
from project.core.models import Run

ENDED = ~Q(final_status="")


class StrategyChoice(BaseDialogForm):
    """By which strategy a video is analysed."""

    strategy = forms.ModelChoiceField(
        Strategy.objects.filter(is_enabled=True), widget=UnfoldAdminSelectWidget()
    )


class StatusFilter(DropdownFilter):
    """Jobs or batches in one status: their own end, else what their run says."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, str(status.label)) for status in RunStatus]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        status = self.value()
        if not status:
            return queryset
        waits = Q(final_status="", run__status=status)
        return queryset.filter(Q(final_status=status) | waits)


class Followed(pages.ReadOnly):
    """Rows with a run that has their progress."""

    list_filter_submit = True
    ordering = ("-created_at",)
    list_per_page = 50

    def has_steer_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Say whether the person may cancel these and have them tried again."""
        return bool(request.user.has_perm(f"analysis.change_{self.opts.model_name}"))

    @display(description="Asked", ordering="created_at")
    def created(self, row: Any) -> SafeString:
        return moment(row.created_at)

    @display(description="Run")
    def work(self, row: Any) -> SafeString:
        """Lead to the run: its timeline, attempts and events."""
        return link_to_run(row.run)


def link_to_run(run: Run | None) -> SafeString:
    """Return a link to the page of a run."""
    if run is None:
        return NOTHING
    url = reverse("admin:core_run_change", args=[run.pk])
    return format_html('<a class="mr-mono mr-link" href="{}">{}</a>', url, str(run.pk)[:8])


@admin.register(Job)
class JobAdmin(Followed):
    """Who asked for which analysis."""

    list_display = ("id", "state", "video", "done", "owner", "created", "page", "work")
    list_filter = (
        StatusFilter,
        "cached",
        "analysis__strategy",
        ("created_at", RangeDateTimeFilter),
    )
    list_select_related = ("analysis__video", "owner", "run")
    search_fields = ("id", "analysis__video__video_id", "analysis__video__title", "request_id")
    fieldsets = (
        (
            None,
            {"fields": (("state", "done"), ("video", "page"), ("owner", "work"), "error_message")},
        ),
        (
            "What it is of",
            {"fields": (("analysis", "batch"), ("retry_of", "shrunk_by"), ("cached", "phase"))},
        ),
        ("When", {"fields": (("created", "ended"), "request_id")}),
    )
    readonly_fields = ("state", "done", "video", "page", "work", "created", "ended")
    actions = ("cancel_chosen", "retry_chosen")
    actions_detail = ("cancel", "retry", "other_strategy")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer what makes sense: a job is canceled before its end, and tried again after it."""
        job = pages.row_if_any(Job.objects.all(), object_id)
        senseless = "_retry" if job is None or not job.is_final else "_cancel"
        found = super().get_actions_detail(request, object_id)
        return [one for one in found if not one.action_name.endswith(senseless)]

    @display(description="Ended", ordering="ended_at")
    def ended(self, job: Job) -> SafeString:
        return moment(job.ended_at)

    @display(description="Status")
    def state(self, job: Job) -> SafeString:
        return pill(job.status, str(RunStatus(job.status).label))

    @display(description="Video", ordering="analysis__video__title")
    def video(self, job: Job) -> str:
        return job.analysis.video.title or job.analysis.video.video_id

    @display(description="Progress")
    def done(self, job: Job) -> SafeString:
        is_live = job.run is not None and not job.is_final
        return meter(job.run.progress if is_live and job.run else job.progress)

    @display(description="Map")
    def page(self, job: Job) -> SafeString:
        """Lead to the job's own page: progress, map, speech."""
        return format_html(
            '<a class="mr-link" href="{}">Open its map</a>', reverse("job-page", args=[job.pk])
        )

    @admin.action(description="Cancel", permissions=["steer"])
    @asking_back(
        title="Cancel these jobs?",
        text="Each leaves its work, which stops with the last asker; what was found is kept.",
        yes="Cancel them",
        count=lambda chosen: chosen.exclude(ENDED).count(),
    )
    def cancel_chosen(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Cancel those that wait or work."""
        by, now = pages.caller_of(request), timezone.now()
        found = list(jobs.with_all().filter(pk__in=chosen.values("pk"), final_status=""))
        acts.each(
            self, request, found, lambda job: jobs.cancel(job, by=by, now=now), what="Canceled"
        )

    @admin.action(description="Try again", permissions=["steer"])
    @asking_back(
        title="Try these jobs again?",
        text="Each is asked for as a job of its own: the missing places of a result, else all.",
        yes="Try again",
        count=lambda chosen: chosen.filter(ENDED).count(),
    )
    def retry_chosen(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Ask again for those that have ended."""
        by, now = pages.caller_of(request), timezone.now()
        found = list(jobs.with_all().filter(ENDED, pk__in=chosen.values("pk")))
        acts.each(
            self, request, found, lambda job: jobs.retry(job, by=by, now=now), what="Asked again"
        )

    @action(
        description="Cancel",
        url_path="cancel",
        permissions=["steer"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Cancel this job?",
            "description": "It leaves its work, which stops with the last asker; what was found is kept.",
            "form_class": None,
            "form_submit_text": "Cancel the job",
        },
    )
    def cancel(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Cancel one job."""
        job, by = pages.row_of(Job.objects.all(), object_id), pages.caller_of(request)

        def deed() -> str:
            jobs.cancel(jobs.find(job.pk, by=by), by=by, now=timezone.now())
            return "Canceled."

        return acts.one(self, request, job, deed)

    @action(
        description="Try again",
        url_path="retry",
        permissions=["steer"],
        dialog={
            "title": "Try this job again?",
            "description": "It is asked for as a job of its own: the missing places of a result, else all.",
            "form_class": None,
            "form_submit_text": "Try again",
        },
    )
    def retry(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for one job again."""
        job, by = pages.row_of(Job.objects.all(), object_id), pages.caller_of(request)

        def deed() -> str:
            made = jobs.retry(jobs.find(job.pk, by=by), by=by, now=timezone.now())
            return f"Asked again as job {made.pk}."

        return acts.one(self, request, job, deed)

    @action(
        description="Other strategy",
        url_path="strategy",
        permissions=["steer"],
        dialog={
            "title": "Analyse this video by another strategy?",
            "description": "A job of its own, which uses again what the phases with the same inputs made.",
            "form_class": StrategyChoice,
            "form_submit_text": "Analyse",
        },
    )
    def other_strategy(
        self, request: HttpRequest, form: StrategyChoice, object_id: str
    ) -> HttpResponse:
        """Ask for the video of one job by another strategy."""
        job, by = pages.row_of(Job.objects.all(), object_id), pages.caller_of(request)

        def deed() -> str:
            wanted = form.cleaned_data["strategy"].name
            found = jobs.find(job.pk, by=by)
            asked = jobs.with_strategy(found, wanted, by=by, now=timezone.now())
            return f"Asked for by {wanted} as job {asked.job.pk}."

        return acts.one(self, request, job, deed)
