"""What the palette (Ctrl-K) finds: objects of every kind that has a search, a few of each."""

from typing import Final

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from project.core.admin.sidebar import ICONS, OTHER

AT_MOST: Final = 5
SHORTEST: Final = 2


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    """Return up to ``AT_MOST`` objects of each model whose search finds ``term``."""
    if len(term) < SHORTEST:
        return []
    models = [model for model in apps.get_models() if admin.site.is_registered(model)]
    return [result for model in models for result in _of_model(request, model, term)]


def _of_model(request: HttpRequest, model: type[Model], term: str) -> list[SearchResult]:
    page = admin.site.get_model_admin(model)
    if not page.get_search_fields(request) or not page.has_view_permission(request):
        return []
    found, _ = page.get_search_results(request, page.get_queryset(request), term)
    options = model._meta  # noqa: SLF001 -- Django's documented way to a model's name
    address = f"admin:{options.app_label}_{options.model_name}_change"
    return [
        SearchResult(
            title=str(row),
            description=str(options.verbose_name),
            link=reverse(address, args=[row.pk]),
            icon=ICONS.get(options.label_lower, OTHER),
        )
        for row in found[:AT_MOST]
    ]
