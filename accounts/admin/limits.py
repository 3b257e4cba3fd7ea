"""Staff pages of rate limits: rules, whom they would hit, and the switch of all."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts import limiting
from accounts.models import RateLimitRule, RateLimitSwitch
from project.core.admin.lines import LinesField
from project.core.admin.pages import row_if_any

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_SHOWN = 20


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule as staff write it."""

    paths = LinesField(
        help_text="One pattern a line, e.g. /api/proxies/export; * is one step, ** any number."
    )
    methods = LinesField(required=False, help_text="One a line, e.g. POST; none: all methods.")

    class Meta:
        """All that staff may set."""

        model = RateLimitRule
        fields = (
            "name",
            "paths",
            "methods",
            "amount",
            "per_s",
            "burst",
            "by",
            "raised_by",
            "is_on",
        )

    def clean_paths(self) -> Any:
        """Refuse what is no list of patterns."""
        paths = self.cleaned_data["paths"]
        if not _are_texts(paths) or not all(path.startswith("/") for path in paths):
            raise forms.ValidationError('Each pattern begins with "/".')
        return paths

    def clean_methods(self) -> Any:
        """Refuse what is no list of methods."""
        methods = self.cleaned_data["methods"]
        if not _are_texts(methods) or not _METHODS.issuperset(methods):
            raise forms.ValidationError(f"Some of {', '.join(sorted(_METHODS))}, one a line.")
        return methods


@admin.register(RateLimitRule)
class RateLimitRuleAdmin(ModelAdmin):
    """Rules that take the place of the settings'; each page shows whom its rule would hit."""

    form = RuleForm
    list_display = ("name", "paths", "methods", "quota", "by", "raised_by", "is_on")
    list_filter = ("is_on", "by")
    search_fields = ("name",)
    change_form_before_template = "admin/accounts/rule_preview.html"

    @display(description="Allows", ordering="amount")
    def quota(self, row: RateLimitRule) -> str:
        burst = f", {row.burst} at once" if row.burst else ""
        return f"{row.amount} in {row.per_s} s{burst}"

    def save_model(self, request: HttpRequest, obj: RateLimitRule, form: Any, change: bool) -> None:  # noqa: FBT001 -- Django's signature
        super().save_model(request, obj, form, change)
        limiting.forget()

    def delete_model(self, request: HttpRequest, obj: RateLimitRule) -> None:
        super().delete_model(request, obj)
        limiting.forget()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = row_if_any(RateLimitRule.objects.all(), object_id)
        hits = limiting.preview(limiting.rule_of(row), now=timezone.now()) if row else []
        preview = {"hits": hits[:_SHOWN], "more": len(hits) - _SHOWN}
        found = {**(extra_context or {}), "preview": {**preview, "of": limiting.remembered()}}
        answer: HttpResponse = super().change_view(request, object_id, form_url, found)
        return answer


@admin.register(RateLimitSwitch)
class RateLimitSwitchAdmin(ModelAdmin):
    """One row: turns all rate limits on or off."""

    list_display = ("__str__", "is_on", "changed_at")
    fields = ("is_on", "changed_at")
    readonly_fields = ("changed_at",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a migration made the one row

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: RateLimitSwitch,
        form: Any,
        change: bool,  # noqa: FBT001 -- Django's signature
    ) -> None:
        super().save_model(request, obj, form, change)
        limiting.forget()
