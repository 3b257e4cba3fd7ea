"""Staff pages of what Nominatim was asked."""

from django.contrib import admin

from analysis.models import GeocoderHost, Lookup
from project.core.admin import pages


@admin.register(GeocoderHost)
class GeocoderHostAdmin(pages.ReadOnly):
    """When each server may be asked again."""

    list_display = ("host", "blocked_until", "block_reason")


@admin.register(Lookup)
class LookupAdmin(pages.ReadOnly):
    """What was asked and found."""

    list_display = ("name", "host", "asked_at")
    search_fields = ("name",)
    show_full_result_count = False
