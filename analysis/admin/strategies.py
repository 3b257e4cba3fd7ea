"""Staff pages of strategies: edited until they have results, copied afterwards."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from analysis import strategies
from analysis.choices import OFFLINE
from analysis.models import Strategy
from project.core.admin import pages
from project.core.errors import AppError, InvalidInputError


class StrategyForm(forms.ModelForm[Strategy]):
    """A strategy; what its results depend on is fixed once it has some."""

    class Meta:
        """All but what is worked out."""

        model = Strategy
        exclude = ("strategy_hash", "created_at", "created_by")  # noqa: DJ006 -- all others are edited

    def clean(self) -> dict[str, Any] | None:
        """Refuse what ``strategies.save`` would refuse, before it is asked."""
        cleaned = super().clean()
        fixed = set(self.changed_data) - strategies.FREE
        if self.instance.pk and fixed and strategies.has_results(self.instance):
            raise ValidationError("This strategy has results: copy it, and change the copy.")
        return cleaned

    def clean_extraction_prompt_v(self) -> int:
        """Refuse a version of the prompt that there is not."""
        version: int = self.cleaned_data["extraction_prompt_v"]
        try:
            strategies.require_prompt(version)
        except InvalidInputError as error:
            raise ValidationError(str(error)) from error
        return version


class CopyForm(BaseDialogForm):
    """What a copy is called."""

    name = forms.SlugField(max_length=60, widget=UnfoldAdminTextInputWidget())


@admin.register(Strategy)
class StrategyAdmin(ModelAdmin):
    """How videos are analysed."""

    form = StrategyForm
    list_display = (
        "name",
        "strategy_hash",
        "model",
        "model_temp",
        "compression_ratio",
        "extraction_prompt_v",
        "geocode_mode",
        "results",
        "is_default",
        "is_enabled",
    )
    list_filter = ("is_enabled", "model", "geocode_mode")
    search_fields = ("name", "strategy_hash", "description")
    fieldsets = (
        (None, {"fields": ("name", "description", ("is_default", "is_enabled"))}),
        (
            "What results depend on",
            {
                "fields": (
                    ("model", "model_temp"),
                    ("compression_ratio", "extraction_prompt_v"),
                    ("geocode_mode", "language"),
                    "strategy_hash",
                )
            },
        ),
    )
    readonly_fields = ("strategy_hash",)
    actions_detail = ("copy",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return {"model": settings.LLM_MODEL or OFFLINE, **initial}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Strategy]:
        found: QuerySet[Strategy] = super().get_queryset(request)
        return found.annotate(results_count=Count("analyses"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = ("model", "model_temp", "compression_ratio", "extraction_prompt_v")
        if obj is not None and strategies.has_results(obj):
            return (*self.readonly_fields, *fixed, "geocode_mode", "language")
        return self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and strategies.has_results(obj):
            return False
        return bool(super().has_delete_permission(request, obj))

    def has_copy_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm("analysis.add_strategy"))

    @display(description="Results", ordering="results_count")
    def results(self, strategy: Any) -> int:
        return int(strategy.results_count)

    def save_model(self, request: HttpRequest, obj: Strategy, form: Any, change: bool) -> None:  # noqa: FBT001 -- Django's signature
        strategies.save(obj, changed=set(form.changed_data), by=pages.caller_of(request))

    @action(
        description="Copy",
        url_path="copy",
        icon="content_copy",
        permissions=["copy"],
        dialog={
            "title": "Copy this strategy?",
            "description": "The copy has no results yet, and so can be changed.",
            "form_class": CopyForm,
            "form_submit_text": "Copy",
        },
    )
    def copy(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Make a copy and open it."""
        strategy = pages.row_of(Strategy.objects.all(), object_id)
        name, by = form.cleaned_data["name"], pages.caller_of(request)
        try:
            made = strategies.copy(strategy, name=name, by=by, now=timezone.now())
        except AppError as error:
            messages.error(request, f"{error.title}: {error}")
            made = strategy
        else:
            messages.success(request, f"{made} is a copy of {strategy}.")
        return pages.lead(request, reverse("admin:analysis_strategy_change", args=[made.pk]))
