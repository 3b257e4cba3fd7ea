"""Staff pages of jobs and batches: what became of them, cancelling and trying again."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from analysis import batches, jobs
from analysis.admin import acts
from analysis.models import Batch, Job
from project.core.admin import pages
from project.core.admin.asking import asking_back
from project.core.choices import RunStatus
from project.core.display import NOTHING, meter, moment, pill
from project.core.models import Run

_ENDED = ~Q(final_status="")


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


class _Followed(pages.ReadOnly):
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
    return format_html('<a class="mr-mono" href="{}">{}</a>', url, str(run.pk)[:8])


@admin.register(Job)
class JobAdmin(_Followed):
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
    readonly_fields = ("page", "work")
    actions = ("cancel_chosen", "retry_chosen")

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
        return format_html('<a href="{}">Open its map</a>', reverse("job-page", args=[job.pk]))

    @admin.action(description="Cancel", permissions=["steer"])
    @asking_back(
        title="Cancel these jobs?",
        text="Each leaves its work, which stops with the last asker; what was found is kept.",
        yes="Cancel them",
        count=lambda chosen: chosen.exclude(_ENDED).count(),
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
        count=lambda chosen: chosen.filter(_ENDED).count(),
    )
    def retry_chosen(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Ask again for those that have ended."""
        by, now = pages.caller_of(request), timezone.now()
        found = list(jobs.with_all().filter(_ENDED, pk__in=chosen.values("pk")))
        acts.each(
            self, request, found, lambda job: jobs.retry(job, by=by, now=now), what="Asked again"
        )


@admin.register(Batch)
class BatchAdmin(_Followed):
    """Many videos asked for at once."""

    list_display = ("id", "state", "total", "done", "owner", "created", "work")
    list_filter = (StatusFilter, ("created_at", RangeDateTimeFilter))
    list_select_related = ("owner", "run")
    search_fields = ("id",)
    readonly_fields = ("work",)
    actions = ("cancel_chosen", "retry_chosen")

    @display(description="Status")
    def state(self, batch: Batch) -> SafeString:
        status = batch.final_status or (batch.run.status if batch.run else RunStatus.QUEUED)
        return pill(status, str(RunStatus(status).label))

    @display(description="Progress")
    def done(self, batch: Batch) -> SafeString:
        return meter(batch.run.progress) if batch.run else NOTHING

    @admin.action(description="Cancel", permissions=["steer"])
    @asking_back(
        title="Cancel these batches?",
        text="Their jobs that have not ended are canceled; what was found is kept.",
        yes="Cancel them",
        count=lambda chosen: chosen.exclude(_ENDED).count(),
    )
    def cancel_chosen(self, request: HttpRequest, chosen: QuerySet[Batch]) -> None:
        """Cancel those that have not ended."""
        by, now = pages.caller_of(request), timezone.now()
        found = list(chosen.exclude(_ENDED))
        acts.each(
            self, request, found, lambda one: batches.cancel(one, by=by, now=now), what="Canceled"
        )

    @admin.action(description="Try failed videos again", permissions=["steer"])
    @asking_back(
        title="Try the failed videos of these batches again?",
        text="The videos that came to nothing are asked for as a batch of their own.",
        yes="Try again",
        count=lambda chosen: chosen.filter(_ENDED, run__isnull=False).count(),
    )
    def retry_chosen(self, request: HttpRequest, chosen: QuerySet[Batch]) -> None:
        """Ask again for what failed in those that have ended."""
        by, now = pages.caller_of(request), timezone.now()

        def again(batch: Batch) -> None:
            if batch.run is not None:
                batches.retry_run(batch.run, by=by, now=now)

        found = list(chosen.filter(_ENDED, run__isnull=False).select_related("run"))
        acts.each(self, request, found, again, what="Asked again")
