"""Staff pages of what is decided for whole pools: their policies, and the sites that checks ask."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from project.core.display import duration
from proxies import policies
from proxies.models import CheckTarget, PoolPolicy


class PoolPolicyForm(forms.ModelForm[PoolPolicy]):
    """A policy; what is left empty is as the settings say, and shown as such."""

    class Meta:
        """All but the pool itself."""

        model = PoolPolicy
        labels = {
            "check_every_s": "Check every, seconds",
            "lease_ttl_s": "Length of a lease, seconds",
            "max_leases": "Most leases at once",
            "window_s": "Window, seconds",
            "is_per_target": "Counts per target",
            "cool_down_s": "Cool-down, seconds",
        }
        fields = (
            "enter_score",
            "leave_score",
            "check_every_s",
            "lease_ttl_s",
            "max_leases",
            "uses_per_window",
            "window_s",
            "exclusive_by",
            "is_per_target",
            "cool_down_s",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = policies.usual(self.instance.pool)
        for name, field in self.fields.items():
            if not field.required and not isinstance(field, forms.BooleanField):
                field.widget.attrs["placeholder"] = f"{getattr(usual, name):g}"

    def clean(self) -> dict[str, Any]:
        """Compare the scores as they will hold, with those of the settings where one is empty."""
        found: dict[str, Any] = super().clean() or {}
        usual = policies.usual(self.instance.pool)
        enter, leave = (
            getattr(usual, name) if found.get(name) is None else found[name]
            for name in ("enter_score", "leave_score")
        )
        if leave > enter:
            raise ValidationError(f"A proxy can't fall out below {leave:g} and rise at {enter:g}.")
        return found


@admin.register(PoolPolicy)
class PoolPolicyAdmin(ModelAdmin):
    """How each pool ranks, lends, rests and checks its proxies."""

    form = PoolPolicyForm
    list_display = (
        "pool",
        "enter",
        "leave",
        "lasts",
        "at_once",
        "uses",
        "exclusive_by",
        "is_per_target",
        "rests",
        "checked",
    )
    readonly_fields = ("pool",)
    fieldsets = (
        (None, {"fields": ("pool", "enter_score", "leave_score", "check_every_s")}),
        (
            "Lending",
            {
                "fields": (
                    "lease_ttl_s",
                    "max_leases",
                    "uses_per_window",
                    "window_s",
                    "exclusive_by",
                    "is_per_target",
                    "cool_down_s",
                )
            },
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @admin.display(description="Enter at", ordering="enter_score")
    def enter(self, policy: PoolPolicy) -> str:
        return _said(policy, "enter_score")

    @admin.display(description="Leave below", ordering="leave_score")
    def leave(self, policy: PoolPolicy) -> str:
        return _said(policy, "leave_score")

    @admin.display(description="Lease")
    def lasts(self, policy: PoolPolicy) -> str:
        return f"{_said(policy, 'lease_ttl_s')} s"

    @admin.display(description="At once")
    def at_once(self, policy: PoolPolicy) -> str:
        return _said(policy, "max_leases")

    @admin.display(description="Uses")
    def uses(self, policy: PoolPolicy) -> str:
        holds = policies.of(policy.pool)
        if not holds.uses_per_window:
            return "any number"
        return f"{holds.uses_per_window} in {holds.window_s} s"

    @admin.display(description="Rests")
    def rests(self, policy: PoolPolicy) -> str:
        return f"{_said(policy, 'cool_down_s')} s"

    @admin.display(description="Checked every")
    def checked(self, policy: PoolPolicy) -> str:
        return f"{_said(policy, 'check_every_s')} s"


def _said(policy: PoolPolicy, name: str) -> str:
    """Return what holds, whoever says so."""
    own = getattr(policy, name)
    return f"{getattr(policies.usual(policy.pool), name) if own is None else own:g}"


@admin.register(CheckTarget)
class CheckTargetAdmin(ModelAdmin):
    """The sites of which checks ask whether a proxy reaches them."""

    list_display = ("url", "is_enabled", "every")
    list_editable = ("is_enabled",)
    list_filter = ("is_enabled",)
    search_fields = ("url",)

    @admin.display(description="Asked every", ordering="every_s")
    def every(self, target: CheckTarget) -> str:
        return duration(target.every_s)
