"""Staff pages of the shared floor."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from project.core.models import Leadership, ProcessHeartbeat, Run, TaskTotals


class ReadOnly(ModelAdmin):
    """Rows that workers write: staff only read them."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(ReadOnly):
    """Runs; what may be done to one is on its page."""

    list_display = ("kind", "subject", "status", "progress", "attempt", "created_at", "ended_at")
    list_filter = ("status", "kind")
    search_fields = ("id", "subject", "request_id")
    ordering = ("-created_at",)


@admin.register(ProcessHeartbeat)
class ProcessHeartbeatAdmin(ReadOnly):
    """Processes alive."""

    list_display = ("role", "name", "version", "started_at", "beat_at", "restarts")


@admin.register(TaskTotals)
class TaskTotalsAdmin(ReadOnly):
    """Totals per kind of run."""

    list_display = ("kind", "done", "failed", "canceled", "restarts", "last_ended_at")


@admin.register(Leadership)
class LeadershipAdmin(ReadOnly):
    """Which process leads where only one may."""

    list_display = ("name", "holder", "held_until")
