"""Staff pages of saved filters: keeping what a list shows, renaming, sharing and deleting it."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from project.core import auditing, saving
from project.core.admin import pages
from project.core.auditing import Deed
from project.core.choices import Act
from project.core.models import SavedFilter


@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep what a list shows, for a person who may see the list."""
    label = request.POST.get("page", "")
    to = list_of(label, request)

    def deed() -> str:
        by = pages.caller_of(request)
        made = saving.keep(
            label,
            request.POST.get("query", ""),
            name=request.POST.get("name", ""),
            is_shared="is_shared" in request.POST,
            by=by,
        )
        auditing.note(made, Deed(Act.ADDED, f"Kept for {label}."), by=by, now=timezone.now())
        return f"{made.name} is kept."

    return pages.carry_out(request, deed, to=to)


def list_of(label: str, request: HttpRequest) -> str:
    """Return the address of a model's list.

    Raises:
        Http404: there is no such list.
        PermissionDenied: the person may not see it.
    """
    try:
        page = admin.site.get_model_admin(apps.get_model(label))
    except (LookupError, ValueError, NotRegistered) as error:
        raise Http404("no such list") from error
    if not page.has_view_permission(request):
        raise PermissionDenied
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")


@admin.register(SavedFilter)
class SavedFilterAdmin(ModelAdmin):
    """A person's own filters, to rename, share or delete; all of them for superusers."""

    list_display = ("name", "opens", "query", "is_shared", "owner")
    list_filter = ("is_shared",)
    list_select_related = ("owner",)
    search_fields = ("name", "page")
    fields = ("name", "is_shared", "opens", "query")
    readonly_fields = ("opens", "query")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a list keeps its own

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True  # everybody has their own

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or self._is_theirs(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or self._is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or self._is_theirs(request, obj)

    @staticmethod
    def _is_theirs(request: HttpRequest, row: SavedFilter) -> bool:
        return bool(request.user.is_superuser) or row.owner_id == request.user.pk

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedFilter]:
        found: QuerySet[SavedFilter] = super().get_queryset(request)
        if request.user.is_superuser:
            return found.filter(Q(is_shared=True) | Q(owner_id=request.user.pk))
        return found.filter(owner_id=request.user.pk)

    @display(description="Opens")
    def opens(self, row: SavedFilter) -> SafeString:
        app, _, model = row.page.partition(".")
        address = reverse(f"admin:{app}_{model}_changelist")
        return format_html('<a class="mr-link" href="{}?{}">{}</a>', address, row.query, row.page)
