"""Staff pages of rows that are remembered: what staff change holds at once, everywhere."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class Remembered(ModelAdmin):
    """A page that lets what it changes be read anew."""

    def forget(self, row: Any) -> None:
        """Let what is remembered of ``row`` be read anew."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 -- Django's signature
        super().save_model(request, obj, form, change)
        self.forget(obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.forget(obj)  # while it still has its number; holds after the transaction, too
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.forget(row)
        super().delete_queryset(request, queryset)
