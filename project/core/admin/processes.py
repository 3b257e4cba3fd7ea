"""Staff pages of processes, totals and leadership: only to read."""

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import display

from project.core.admin.pages import ReadOnly
from project.core.display import NOTHING, duration, moment, pill
from project.core.kinds import known
from project.core.models import Leadership, ProcessHeartbeat, TaskTotals
from project.core.processes import SILENT_AFTER


@admin.register(ProcessHeartbeat)
class ProcessHeartbeatAdmin(ReadOnly):
    """Processes and their last sign of life."""

    list_display = ("role", "life", "host", "pid", "version", "since", "beat", "restarts")
    list_filter = ("role",)
    search_fields = ("name", "host")
    ordering = ("role", "-beat_at")

    @display(description="Life")
    def life(self, row: ProcessHeartbeat) -> SafeString:
        is_alive = timezone.now() - row.beat_at <= SILENT_AFTER
        return pill("good", "Alive") if is_alive else pill("bad", "Silent")

    @display(description="Started", ordering="started_at")
    def since(self, row: ProcessHeartbeat) -> SafeString:
        return moment(row.started_at)

    @display(description="Last beat", ordering="beat_at")
    def beat(self, row: ProcessHeartbeat) -> SafeString:
        return moment(row.beat_at)


@admin.register(TaskTotals)
class TaskTotalsAdmin(ReadOnly):
    """Totals per kind of run, kept when the runs themselves are forgotten."""

    list_display = (
        "label",
        "kind",
        "done",
        "failed",
        "canceled",
        "restarts",
        "average",
        "last_end",
        "last_error",
    )
    search_fields = ("kind",)
    ordering = ("kind",)

    @display(description="What", ordering="kind")
    def label(self, row: TaskTotals) -> str:
        kind = known().get(row.kind)
        return kind.label if kind else row.kind

    @display(description="Average")
    def average(self, row: TaskTotals) -> str:
        ended = row.done + row.failed + row.canceled
        return duration(row.total_s / ended if ended else None)

    @display(description="Last ended", ordering="last_ended_at")
    def last_end(self, row: TaskTotals) -> SafeString:
        return moment(row.last_ended_at)

    @display(description="Last error")
    def last_error(self, row: TaskTotals) -> str:
        return (
            f"{row.last_error_type}: {row.last_error_message}"[:120]
            if row.last_error_type
            else NOTHING
        )


@admin.register(Leadership)
class LeadershipAdmin(ReadOnly):
    """Which process leads where only one may."""

    list_display = ("name", "holder", "until", "token")

    @display(description="Held until", ordering="held_until")
    def until(self, row: Leadership) -> SafeString:
        return moment(row.held_until)
