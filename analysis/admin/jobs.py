"""Staff pages of jobs and batches."""

from django.contrib import admin

from analysis.models import Batch, Job
from project.core.admin import pages


@admin.register(Job)
class JobAdmin(pages.ReadOnly):
    """Who asked for which analysis."""

    list_display = ("id", "analysis", "owner", "final_status", "created_at")
    list_select_related = ("analysis__video", "owner")
    search_fields = ("id", "analysis__video__video_id")


@admin.register(Batch)
class BatchAdmin(pages.ReadOnly):
    """Many videos asked for at once."""

    list_display = ("id", "total", "owner", "final_status", "created_at")
    list_select_related = ("owner",)
    search_fields = ("id",)
