"""Staff pages of corrections."""

from django.contrib import admin

from analysis.models import Correction
from project.core.admin import pages


@admin.register(Correction)
class CorrectionAdmin(pages.ReadOnly):
    """What people put right on the map."""

    list_display = ("was_name", "change", "video", "for_everybody", "made_by", "made_at")
    list_filter = ("change", "for_everybody")
    list_select_related = ("video", "made_by")
    search_fields = ("was_name", "raw", "video__video_id")
