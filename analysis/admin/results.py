"""Staff pages of videos, their analyses, places and failures."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from analysis import jobs
from analysis.admin.jobs import link_to_run
from analysis.choices import Outcome
from analysis.models import Analysis, Checkpoint, Failure, Place, Video
from project.core.admin import acts, pages
from project.core.admin.asking import asking_back
from project.core.display import moment, pill

_LOOKS: Final = {Outcome.NONE: "queued", Outcome.PARTIAL: "partial", Outcome.DONE: "done"}


@admin.register(Video)
class VideoAdmin(pages.ReadOnly):
    """Videos and transcripts; what users uploaded is not shown."""

    list_display = ("video_id", "title", "kind", "owner", "language", "created_at")
    list_filter = ("kind", "language")
    list_select_related = ("owner",)
    search_fields = ("video_id", "title", "url")
    exclude = ("upload",)


@admin.register(Checkpoint)
class CheckpointAdmin(pages.ReadOnly):
    """What phases have made of videos."""

    list_display = ("video", "phase", "key", "part", "elapsed_ms", "created_at")
    list_filter = ("phase",)
    list_select_related = ("video",)
    search_fields = ("video__video_id", "key")
    exclude = ("data",)


@admin.register(Analysis)
class AnalysisAdmin(pages.ReadOnly):
    """Pieces of work: a video under a strategy."""

    list_display = ("video", "strategy", "state", "places_total", "created", "finished", "work")
    list_filter = ("outcome", "strategy")
    list_select_related = ("video", "strategy", "run")
    search_fields = ("video__video_id", "video__title", "strategy_hash")
    readonly_fields = ("work",)
    actions = ("retry_places",)
    actions_detail = ("retry_missing",)

    def has_steer_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Say whether the person may have places tried again."""
        return request.user.has_perm("analysis.change_job")

    @display(description="Result", ordering="outcome")
    def state(self, analysis: Analysis) -> SafeString:
        return pill(_LOOKS[Outcome(analysis.outcome)], analysis.get_outcome_display())

    @display(description="Asked", ordering="created_at")
    def created(self, analysis: Analysis) -> SafeString:
        return moment(analysis.created_at)

    @display(description="Finished", ordering="finished_at")
    def finished(self, analysis: Analysis) -> SafeString:
        return moment(analysis.finished_at)

    @display(description="Last run")
    def work(self, analysis: Analysis) -> SafeString:
        """Lead to the work that was last at it."""
        return link_to_run(analysis.run)

    @admin.action(description="Try missing places again", permissions=["steer"])
    @asking_back(
        title="Try the missing places again?",
        text="The places that could not be located are asked for again, those alone.",
        yes="Try again",
        count=lambda chosen: chosen.filter(outcome=Outcome.PARTIAL).count(),
    )
    def retry_places(self, request: HttpRequest, chosen: QuerySet[Analysis]) -> None:
        """Try the failures of results that lack places."""
        by, now = pages.caller_of(request), timezone.now()

        def again(analysis: Analysis) -> object:
            return jobs.retry_geocode(analysis, by=by, now=now)

        found = list(chosen.filter(outcome=Outcome.PARTIAL).select_related("video"))
        acts.each(self, request, found, again, what="Asked again")

    @action(
        description="Try missing places again",
        url_path="retry",
        permissions=["steer"],
        dialog={
            "title": "Try the missing places again?",
            "description": "The places that could not be located are asked for again, those alone.",
            "form_class": None,
            "form_submit_text": "Try again",
        },
    )
    def retry_missing(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Try the failures of one result."""
        analysis = pages.row_of(Analysis.objects.select_related("video"), object_id)

        def deed() -> str:
            by, now = pages.caller_of(request), timezone.now()
            made = jobs.retry_geocode(analysis, by=by, now=now)
            return f"Trying {made.places} again as job {made.job.pk}."

        return acts.one(self, request, analysis, deed)


@admin.register(Place)
class PlaceAdmin(pages.ReadOnly):
    """Places on the map."""

    list_display = ("name", "raw", "analysis", "latitude", "longitude", "kind", "authority")
    list_select_related = ("analysis__video",)
    search_fields = ("name", "raw", "analysis__video__video_id")


@admin.register(Failure)
class FailureAdmin(pages.ReadOnly):
    """Places that could not be put on the map."""

    list_display = ("raw", "reason", "retryable", "analysis", "at")
    list_filter = ("retryable",)
    list_select_related = ("analysis__video",)
    search_fields = ("raw", "reason", "analysis__video__video_id")
    actions = ("retry_chosen",)

    def has_steer_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Say whether the person may have places tried again."""
        return request.user.has_perm("analysis.change_job")

    @admin.action(description="Try again", permissions=["steer"])
    @asking_back(
        title="Try these places again?",
        text="Each video's chosen places are asked for again, as one job.",
        yes="Try again",
        count=lambda chosen: chosen.count(),
    )
    def retry_chosen(self, request: HttpRequest, chosen: QuerySet[Failure]) -> None:
        """Try the chosen places, a job for each analysis."""
        by, now = pages.caller_of(request), timezone.now()
        names: dict[Any, list[str]] = {}
        for failure in chosen.select_related("analysis__video"):
            names.setdefault(failure.analysis, []).append(failure.raw)

        def again(analysis: Analysis) -> object:
            return jobs.retry_geocode(analysis, names=names[analysis], by=by, now=now)

        acts.each(self, request, list(names), again, what="Asked again")
