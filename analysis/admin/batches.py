"""Staff pages of batches: what became of them, cancelling and trying again."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from analysis import batches, jobs
from analysis.admin.jobs import ENDED, Followed, StatusFilter
from analysis.models import Batch
from project.core.admin import acts, pages
from project.core.admin.asking import asking_back
from project.core.choices import RunStatus
from project.core.display import NOTHING, meter, pill


@admin.register(Batch)
class BatchAdmin(Followed):
    """Many videos asked for at once."""

    list_display = ("id", "state", "total", "done", "owner", "created", "work")
    list_filter = (StatusFilter, ("created_at", RangeDateTimeFilter))
    list_select_related = ("owner", "run")
    search_fields = ("id",)
    fields = (("state", "done"), ("total", "owner"), ("work", "created"))
    readonly_fields = ("state", "done", "work", "created")
    actions = ("cancel_chosen", "retry_chosen")
    actions_detail = ("cancel", "retry")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer what makes sense: a batch is canceled before its end, and tried again after it."""
        is_open = pages.row_if_any(Batch.objects.open(), object_id) is not None
        senseless = "_retry" if is_open else "_cancel"
        found = super().get_actions_detail(request, object_id)
        return [one for one in found if not one.action_name.endswith(senseless)]

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
        count=lambda chosen: chosen.exclude(ENDED).count(),
    )
    def cancel_chosen(self, request: HttpRequest, chosen: QuerySet[Batch]) -> None:
        """Cancel those that have not ended."""
        by, now = pages.caller_of(request), timezone.now()
        found = list(chosen.exclude(ENDED))
        acts.each(
            self, request, found, lambda one: batches.cancel(one, by=by, now=now), what="Canceled"
        )

    @admin.action(description="Try failed videos again", permissions=["steer"])
    @asking_back(
        title="Try the failed videos of these batches again?",
        text="The videos that came to nothing are asked for as a batch of their own.",
        yes="Try again",
        count=lambda chosen: chosen.filter(ENDED, run__isnull=False).count(),
    )
    def retry_chosen(self, request: HttpRequest, chosen: QuerySet[Batch]) -> None:
        """Ask again for what failed in those that have ended."""
        by, now = pages.caller_of(request), timezone.now()

        def again(batch: Batch) -> None:
            if batch.run is not None:
                batches.retry_run(batch.run, by=by, now=now)

        found = list(chosen.filter(ENDED, run__isnull=False).select_related("run"))
        acts.each(self, request, found, again, what="Asked again")

    @action(
        description="Cancel",
        url_path="cancel",
        permissions=["steer"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Cancel this batch?",
            "description": "Its jobs that have not ended are canceled; what was found is kept.",
            "form_class": None,
            "form_submit_text": "Cancel the batch",
        },
    )
    def cancel(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Cancel one batch."""
        batch, by = pages.row_of(Batch.objects.all(), object_id), pages.caller_of(request)

        def deed() -> str:
            batches.cancel(batch, by=by, now=timezone.now())
            return "Canceled."

        return acts.one(self, request, batch, deed)

    @action(
        description="Try failed videos again",
        url_path="retry",
        permissions=["steer"],
        dialog={
            "title": "Try the failed videos of this batch again?",
            "description": "The videos that came to nothing are asked for as a batch of their own.",
            "form_class": None,
            "form_submit_text": "Try again",
        },
    )
    def retry(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask again for what failed in one batch."""
        batch = pages.row_of(Batch.objects.select_related("run"), object_id)
        by = pages.caller_of(request)

        def deed() -> str:
            if batch.run is None:
                raise jobs.NothingToRetryError("the batch has no run any more")
            made = batches.retry_run(batch.run, by=by, now=timezone.now())
            return f"Asked again: {made.subject}."

        return acts.one(self, request, batch, deed)
