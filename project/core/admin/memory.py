"""Staff pages of remembered figures: only to read."""

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from project.core.admin.pages import ReadOnly
from project.core.display import moment
from project.core.models import FigureSample


@admin.register(FigureSample)
class FigureSampleAdmin(ReadOnly):
    """Key figures as they were: what the dashboard's trends are drawn from."""

    list_display = ("name", "amount", "when")
    list_filter = ("name",)
    search_fields = ("name",)
    ordering = ("-at", "name")
    paginator = InfinitePaginator

    @display(description="At", ordering="at")
    def when(self, row: FigureSample) -> SafeString:
        return moment(row.at)
