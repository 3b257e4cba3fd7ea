"""Staff pages of videos, their analyses, places and failures."""

from django.contrib import admin

from analysis.models import Analysis, Checkpoint, Failure, Place, Video
from project.core.admin import pages


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

    list_display = ("video", "strategy", "outcome", "places_total", "created_at", "finished_at")
    list_filter = ("outcome", "strategy")
    list_select_related = ("video", "strategy")
    search_fields = ("video__video_id", "video__title", "strategy_hash")


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
