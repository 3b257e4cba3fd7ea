"""Staff pages of the schedules that periodic jobs use."""

from django.contrib import admin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from project.core.display import duration

for _model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule):
    admin.site.unregister(_model)


class JobInline(TabularInline):
    """The periodic jobs that use a schedule."""

    model = PeriodicTask
    fields = ("name", "task", "enabled")
    readonly_fields = fields
    can_delete = False
    extra = 0
    max_num = 0
    show_change_link = True
    verbose_name_plural = "periodic jobs that use it"


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ModelAdmin):
    """Every so many seconds, minutes, hours or days."""

    list_display = ("__str__", "length")
    inlines = (JobInline,)

    @display(description="Length")
    def length(self, row: IntervalSchedule) -> str:
        return duration(row.schedule.run_every.total_seconds())


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(ModelAdmin):
    """At times of the day, week, month or year."""

    list_display = ("human_readable", "__str__", "timezone")
    fields = (
        "human_readable",
        "minute",
        "hour",
        "day_of_month",
        "month_of_year",
        "day_of_week",
        "timezone",
    )
    readonly_fields = ("human_readable",)
    inlines = (JobInline,)


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(ModelAdmin):
    """Once, at a moment."""

    list_display = ("clocked_time",)
    inlines = (JobInline,)


@admin.register(SolarSchedule)
class SolarScheduleAdmin(ModelAdmin):
    """By the sun at a place."""

    list_display = ("event", "latitude", "longitude")
    inlines = (JobInline,)
