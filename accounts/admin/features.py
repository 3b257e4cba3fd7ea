"""Staff pages of feature flags and kept answers."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from accounts.models import Flag, KeptAnswer
from project.core.admin.pages import ReadOnly


@admin.register(Flag)
class FlagAdmin(ModelAdmin):
    """Who has which feature; a change holds at the next request."""

    list_display = ("name", "everybody", "staff", "percent", "description")
    search_fields = ("name", "description")
    autocomplete_fields = ("users",)


@admin.register(KeptAnswer)
class KeptAnswerAdmin(ReadOnly):
    """Answers kept for requests that are sent again; what they say is not shown."""

    list_display = ("caller", "key", "status", "created_at")
    search_fields = ("caller", "key")
    fields = ("caller", "key", "status", "content_type", "created_at")
