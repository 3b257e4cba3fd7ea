"""What the palette (Ctrl-K) finds: pages, and objects of every model, a few of each.

One statement asks all models at once which rows fit; then the rows of those models that found
some are read, a query each.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.core.paginator import Paginator
from django.db.models import CharField, Model, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.dataclasses import SearchResult

from project.core.admin import sidebar
from project.core.encryption import EncryptedTextField

#: Of each model.
AT_MOST: Final = 5
#: Of so many models; those of the side bar come first, in its order.
MODELS: Final = 12
SHORTEST: Final = 2
PER_PAGE: Final = 100


def answer(site: Any, request: HttpRequest) -> HttpResponse:
    """Answer what the palette, or the side bar's search, asks for."""
    began_s = time.monotonic()
    term = request.GET.get("s", "").replace("\x00", "").strip()
    if not term:
        return HttpResponse()
    is_whole = "extended" in request.GET
    results = pages(request, term)
    if is_whole:
        results += find(site, request, term)
    paginator = Paginator(results, PER_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    return TemplateResponse(
        request,
        f"unfold/helpers/{'command' if is_whole else 'search'}_results.html",
        {
            "page_obj": paginator,
            "results": page,
            "page_counter": page.start_index() - 1 if results else 0,
            "execution_time": time.monotonic() - began_s,
            "command_show_history": True,
        },
        headers={"HX-Trigger": "search"},
    )


def pages(request: HttpRequest, term: str) -> list[SearchResult]:
    """Return the pages of the side bar whose title or group has ``term`` in it."""
    wanted = term.casefold()
    return [
        SearchResult(
            title=link["title"], description=group["title"], link=link["link"], icon=link["icon"]
        )
        for group in sidebar.navigation(request)
        for link in group["items"]
        if wanted in f"{group['title']} {link['title']}".casefold()
    ]


def find(site: Any, request: HttpRequest, term: str) -> list[SearchResult]:
    """Return up to ``AT_MOST`` objects of each of the first ``MODELS`` models that find ``term``."""
    if len(term) < SHORTEST:
        return []
    known = {page.opts.label_lower: page for page in _in_order(site, request)}
    keys = _keys(
        [hit for page in known.values() if (hit := _hits(page, request, term)) is not None]
    )
    found = [label for label in known if label in keys][:MODELS]
    return [result for label in found for result in _results(known[label], request, keys[label])]


def _in_order(site: Any, request: HttpRequest) -> list[Any]:
    """Return the pages of all models that the person may see, those of the side bar first."""
    order = {label: place for place, label in enumerate(_labels())}
    seen = [
        page
        for page in site._registry.values()  # noqa: SLF001 -- its own site
        if page.has_view_permission(request)
    ]
    return sorted(seen, key=lambda page: order.get(page.opts.label_lower, len(order)))


def _labels() -> Iterable[str]:
    return (label for _, labels, _ in sidebar.GROUPS for label in labels)


def _hits(page: Any, request: HttpRequest, term: str) -> QuerySet[Model, Any] | None:
    """Return the query for the label and keys of a model's rows that fit; None: nothing to ask."""
    rows = page.get_queryset(request)
    if page.get_search_fields(request):
        rows, _ = page.get_search_results(request, rows, term)
    elif term.casefold() not in str(page.opts.verbose_name).casefold():  # else by what it is called
        fits = _in_its_texts(page.model, term)
        if not fits:
            return None
        rows = rows.filter(fits)
    fitting = page.model._base_manager.filter(pk__in=rows.values("pk")[:AT_MOST])  # noqa: SLF001 -- as admin does
    named = fitting.annotate(
        page_label=Value(page.opts.label_lower, output_field=CharField()),
        page_key=Cast("pk", TextField()),
    )
    hits: QuerySet[Model, Any] = named.order_by().values_list("page_label", "page_key")
    return hits


def _in_its_texts(model: type[Model], term: str) -> Q:
    """Return the condition that a text of the model's own, or of what it belongs to, has ``term``."""
    fits = Q()
    for name in texts_of(model):
        fits |= Q(**{f"{name}__icontains": term})
    return fits


def texts_of(model: type[Model]) -> list[str]:
    """Return the lookups of a model's texts; of its parents' where it has none itself."""
    own = _own_texts(model)
    if own:
        return own
    parents = [
        field
        for field in model._meta.concrete_fields  # noqa: SLF001 -- Django's documented way to fields
        if field.is_relation and isinstance(field.related_model, type)
    ]
    return [f"{each.name}__{text}" for each in parents for text in _own_texts(each.related_model)]


def _own_texts(model: Any) -> list[str]:
    return [
        field.name
        for field in model._meta.concrete_fields  # noqa: SLF001 -- as above
        if isinstance(field, CharField | TextField) and not isinstance(field, EncryptedTextField)
    ]


def _keys(hits: Sequence[QuerySet[Model, Any]]) -> dict[str, list[str]]:
    if not hits:
        return {}
    found: dict[str, list[str]] = {}
    for label, key in hits[0].union(*hits[1:], all=True):
        found.setdefault(label, []).append(key)
    return found


def _results(page: Any, request: HttpRequest, keys: list[str]) -> list[SearchResult]:
    rows = page.get_queryset(request).filter(pk__in=keys)
    if isinstance(page.list_select_related, list | tuple) and page.list_select_related:
        rows = rows.select_related(*page.list_select_related)
    address = f"admin:{page.opts.app_label}_{page.opts.model_name}_change"
    return [
        SearchResult(
            title=str(row),
            description=str(page.opts.verbose_name),
            link=reverse(address, args=[row.pk]),
            icon=sidebar.ICONS.get(page.opts.label_lower, sidebar.OTHER),
        )
        for row in rows[:AT_MOST]
    ]
