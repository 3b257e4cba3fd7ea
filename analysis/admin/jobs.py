"""Staff pages of jobs and batches."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analysis.models import Batch, Job
from project.core.admin import pages


@admin.register(Job)
class JobAdmin(pages.ReadOnly):
    """Who asked for which analysis."""

    list_display = ("id", "analysis", "owner", "final_status", "created_at", "page")
    list_select_related = ("analysis__video", "owner")
    search_fields = ("id", "analysis__video__video_id")
    readonly_fields = ("page",)

    @admin.display(description="Map")
    def page(self, job: Job) -> SafeString:
        """Lead to the job's own page: progress, map, speech."""
        return format_html('<a href="{}">Open its map</a>', reverse("job-page", args=[job.pk]))


@admin.register(Batch)
class BatchAdmin(pages.ReadOnly):
    """Many videos asked for at once."""

    list_display = ("id", "total", "owner", "final_status", "created_at")
    list_select_related = ("owner",)
    search_fields = ("id",)
