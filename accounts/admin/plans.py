"""Staff pages of plans and subscriptions."""

from django.contrib import admin

from accounts import recalling
from accounts.admin.remembered import Remembered
from accounts.models import Plan, Subscription


@admin.register(Plan)
class PlanAdmin(Remembered):
    """How much each plan allows; a change holds within two seconds."""

    list_display = (
        "title",
        "name",
        "is_default",
        "is_unlimited",
        "api_per_minute",
        "leases_at_once",
        "jobs_per_day",
    )
    search_fields = ("name", "title")

    def forget(self, row: Plan) -> None:
        recalling.forget_plans()

    fieldsets = (
        (None, {"fields": ("name", "title", "description")}),
        ("Who has it", {"fields": ("is_default", "is_public", "is_unlimited")}),
        (
            "Rates",
            {"fields": ("requests_per_minute", "api_per_minute", "streams_per_minute")},
        ),
        ("Quotas", {"fields": ("leases_at_once", "jobs_at_once", "jobs_per_day")}),
    )


@admin.register(Subscription)
class SubscriptionAdmin(Remembered):
    """Who has which plan."""

    list_display = ("user", "plan", "started_at", "ends_at", "plan_before", "note")
    list_filter = ("plan",)
    list_select_related = ("user", "plan", "plan_before")
    search_fields = ("user__email", "note")
    autocomplete_fields = ("user", "plan", "plan_before")

    def forget(self, row: Subscription) -> None:
        recalling.forget_user(row.user_id)
