"""Staff pages of the periodic jobs: when each ran and is due, run now, pause, edit."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_celery_beat.models import PeriodicTask
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from project.core import jobs, kinds, pausing
from project.core.admin import acts, pages
from project.core.admin.asking import asking_back
from project.core.display import NOTHING, duration, moment, pill, schedule
from project.core.jobs import JobState

admin.site.unregister(PeriodicTask)
LIST = "admin:django_celery_beat_periodictask_changelist"


def job_pill(state: JobState) -> SafeString:
    """Return whether a job is paused, late or on time."""
    if not state.job.enabled:
        return pill("paused", "Paused")
    return pill("late", "Late") if state.is_late else pill("good", "On time")


class JobForm(forms.ModelForm[PeriodicTask]):
    """A periodic job; its task is one of the known kinds of run."""

    task = forms.ChoiceField(
        label="Kind of run", widget=UnfoldAdminSelectWidget(), help_text="What is done."
    )

    class Meta:
        """Words for people."""

        model = PeriodicTask
        fields = (
            *("name", "task", "description", "enabled", "kwargs"),
            *("interval", "crontab", "clocked", "solar", "start_time", "one_off"),
        )
        labels = {
            "interval": "Every",
            "crontab": "At times",
            "clocked": "Once at",
            "solar": "By the sun",
            "start_time": "Not before",
            "one_off": "Only once",
            "kwargs": "Payload",
        }
        help_texts = {
            "name": "",
            "description": "For staff: what it does and why.",
            "enabled": "A paused job is not sent, and what it misses is not caught up.",
            "interval": "",
            "crontab": "",
            "clocked": "",
            "solar": "",
            "start_time": "",
            "one_off": "Paused by itself after its first run.",
            "kwargs": "JSON that the run is given.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {kind.name: f"{kind.label} ({kind.name})" for kind in kinds.known().values()}
        if self.instance.task:
            known.setdefault(self.instance.task, self.instance.task)
        for name in ("description", "kwargs"):
            if name in self.fields:
                self.fields[name].widget.attrs["rows"] = 3
        if "task" in self.fields:
            self.fields["task"].choices = sorted(known.items(), key=lambda pair: pair[1])  # type: ignore[attr-defined]


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ModelAdmin):
    """Periodic jobs; beat reads a changed schedule within seconds."""

    form = JobForm
    list_display = ("life", "what", "when", "last", "took", "due")
    list_display_links = ("what",)
    list_filter = ("enabled",)
    list_select_related = ("interval", "crontab", "solar", "clocked")
    search_fields = ("name", "task", "description")
    ordering = ("name",)
    list_per_page = 200
    fieldsets = (
        (None, {"fields": ("name", "task", "description", "enabled")}),
        (
            "Schedule",
            {
                "description": "Fill in exactly one of the first four.",
                "fields": (
                    ("interval", "crontab"),
                    ("clocked", "solar"),
                    ("start_time", "one_off"),
                    ("last_run_at", "total_run_count"),
                ),
            },
        ),
        ("What it is asked", {"fields": ("kwargs",)}),
    )
    readonly_fields = ("last_run_at", "total_run_count")
    actions = ("run_chosen", "pause_chosen", "resume_chosen")
    actions_row = ("run_now", "pause", "resume")
    actions_detail = ("run_now", "pause", "resume")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        states = {state.job.pk: state for state in jobs.states(now=timezone.now())}
        late = any(state.is_late for state in states.values())
        advice = jobs.advice(now=timezone.now()) if late else ""
        for job in found.result_list:
            job.state, job.advice = states[job.pk], advice
        return found

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        paused = pages.row_if_any(PeriodicTask.objects.filter(enabled=False), object_id)
        unfit = "_pause" if paused else "_resume"
        found = super().get_actions_detail(request, object_id)
        return [action for action in found if not action.action_name.endswith(unfit)]

    @display(description="State")
    def life(self, job: Any) -> SafeString:
        if not (job.state.is_late and job.enabled):
            return job_pill(job.state)
        return format_html(
            '{}<div class="mr-faint mr-advice">{}</div>', job_pill(job.state), job.advice
        )

    @display(description="Job", header=True, ordering="name")
    def what(self, job: PeriodicTask) -> tuple[str, str]:
        return (job.name, job.description or job.task)

    @display(description="Schedule")
    def when(self, job: PeriodicTask) -> str:
        return schedule(job)

    @display(description="Last run")
    def last(self, job: Any) -> SafeString:
        run = job.state.last_run
        if run is None:
            return NOTHING
        return format_html(
            '<a class="mr-quiet" href="{}">{} {}</a>',
            reverse("admin:core_run_change", args=[run.pk]),
            pill(run.status, run.get_status_display()),
            moment(run.created_at),
        )

    @display(description="Took")
    def took(self, job: Any) -> str:
        return duration(job.state.last_run.duration_s if job.state.last_run else None)

    @display(description="Next")
    def due(self, job: Any) -> SafeString:
        return moment(job.state.next_due_at)

    @action(
        description="Run now",
        url_path="run_now",
        icon="play_arrow",
        permissions=["change"],
        dialog={
            "title": "Run this job now?",
            "description": "It runs once, besides its schedule; never twice at the same time.",
            "form_class": None,
            "form_submit_text": "Run now",
        },
    )
    def run_now(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for a run of one job."""

        def deed() -> str:
            job = pages.row_of(PeriodicTask.objects.all(), object_id)
            run = jobs.run_now(job, by=pages.caller_of(request), now=timezone.now())
            self.log_change(request, job, f"Run by hand as {run.pk}.")
            return f"{job.name} runs."

        return pages.carry_out(request, deed, to=reverse(LIST))

    @action(
        description="Pause",
        url_path="pause",
        icon="pause",
        permissions=["change"],
        dialog={
            "title": "Pause this job?",
            "description": "It is not sent until resumed; what it misses is not caught up.",
            "form_class": None,
            "form_submit_text": "Pause",
        },
    )
    def pause(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Pause one job."""

        def deed() -> str:
            job = pages.row_of(PeriodicTask.objects.all(), object_id)
            if not pausing.pause(job, now=timezone.now()):
                return f"{job.name} is paused already."
            self.log_change(request, job, "Paused.")
            return f"{job.name} is paused."

        return pages.carry_out(request, deed, to=reverse(LIST))

    @action(
        description="Resume",
        url_path="resume",
        icon="resume",
        permissions=["change"],
        dialog={
            "title": "Resume this job?",
            "description": "It is sent by its schedule again, counted from now.",
            "form_class": None,
            "form_submit_text": "Resume",
        },
    )
    def resume(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let one job go on."""

        def deed() -> str:
            job = pages.row_of(PeriodicTask.objects.all(), object_id)
            if not pausing.resume(job, now=timezone.now()):
                return f"{job.name} is not paused."
            self.log_change(request, job, "Resumed.")
            return f"{job.name} goes on."

        return pages.carry_out(request, deed, to=reverse(LIST))

    @admin.action(description="Run the chosen jobs now", permissions=["change"])
    @asking_back(
        title="Run these jobs now?",
        text="Each runs once, besides its schedule; never twice at the same time.",
        yes="Run now",
        count=lambda chosen: chosen.count(),
    )
    def run_chosen(self, request: HttpRequest, chosen: QuerySet[PeriodicTask]) -> None:
        """Ask for a run of each chosen job that is not at work."""
        by, now = pages.caller_of(request), timezone.now()
        acts.each(
            self,
            request,
            chosen,
            lambda job: jobs.run_now(job, by=by, now=now),
            what="Run by hand",
        )

    @admin.action(description="Pause the chosen jobs", permissions=["change"])
    @asking_back(
        title="Pause these jobs?",
        text="They are not sent until resumed; what they miss is not caught up.",
        yes="Pause",
        count=lambda chosen: chosen.filter(enabled=True).count(),
    )
    def pause_chosen(self, request: HttpRequest, chosen: QuerySet[PeriodicTask]) -> None:
        """Pause each chosen job."""
        now = timezone.now()
        acts.each(self, request, chosen, lambda job: pausing.pause(job, now=now), what="Paused")

    @admin.action(description="Resume the chosen jobs", permissions=["change"])
    @asking_back(
        title="Resume these jobs?",
        text="They are sent by their schedules again, counted from now.",
        yes="Resume",
        count=lambda chosen: chosen.filter(enabled=False).count(),
    )
    def resume_chosen(self, request: HttpRequest, chosen: QuerySet[PeriodicTask]) -> None:
        """Let each chosen job go on."""
        now = timezone.now()
        acts.each(self, request, chosen, lambda job: pausing.resume(job, now=now), what="Resumed")
