"""Staff pages of corrections: who put what right, and taking it back."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from analysis import retracting
from analysis.models import Correction
from project.core.admin import acts, pages
from project.core.admin.asking import asking_back
from project.core.display import moment, pill


@admin.register(Correction)
class CorrectionAdmin(pages.ReadOnly):
    """What people put right on the map."""

    list_display = ("was_name", "change", "state", "video", "for_everybody", "made_by", "made")
    list_filter = ("change", "for_everybody", "is_taken_back")
    list_select_related = ("video", "made_by")
    search_fields = ("was_name", "raw", "video__video_id")
    actions = ("take_back",)
    actions_detail = ("take_one_back",)

    def has_steer_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Say whether the person may take corrections back."""
        return request.user.has_perm("analysis.change_correction")

    @display(description="State", ordering="is_taken_back")
    def state(self, correction: Correction) -> SafeString:
        if correction.is_taken_back:
            return pill("neutral", "Taken back")
        return pill("good", "Counts")

    @display(description="Made", ordering="made_at")
    def made(self, correction: Correction) -> SafeString:
        return moment(correction.made_at)

    @admin.action(description="Take back", permissions=["steer"])
    @asking_back(
        title="Take these corrections back?",
        text="What the geocoder said, or an earlier correction, is shown again.",
        yes="Take back",
        count=lambda chosen: chosen.filter(is_taken_back=False).count(),
    )
    def take_back(self, request: HttpRequest, chosen: QuerySet[Correction]) -> None:
        """Let the chosen ones count no more."""
        found = list(chosen.filter(is_taken_back=False))
        now = timezone.now()
        acts.each(
            self,
            request,
            found,
            lambda one: retracting.take_back(one, now=now),
            what="Taken back",
        )

    @action(
        description="Take back",
        url_path="take-back",
        permissions=["steer"],
        dialog={
            "title": "Take this correction back?",
            "description": "What the geocoder said, or an earlier correction, is shown again.",
            "form_class": None,
            "form_submit_text": "Take back",
        },
    )
    def take_one_back(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let one correction count no more."""
        correction = pages.row_of(Correction.objects.all(), object_id)

        def deed() -> str:
            retracting.take_back(correction, now=timezone.now())
            return "Taken back."

        return acts.one(self, request, correction, deed)
