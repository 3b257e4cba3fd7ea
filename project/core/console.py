"""The site of the staff pages: what all of them have in common."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.sites import UnfoldAdminSite

from project.core import badges, health, noting, showing


class ConsoleSite(UnfoldAdminSite):
    """unfold's site with our palette, badges on every page, and an audit trail of every deed."""

    def register(
        self,
        model_or_iterable: Any,
        admin_class: type[ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        """Register pages that note what is done on them, and show raw fields as people read them."""
        page = showing.with_showing(noting.with_noting(admin_class or ModelAdmin))
        super().register(model_or_iterable, page, **options)

    def admin_view(
        self,
        view: Callable[..., Any],
        cacheable: bool = False,  # noqa: FBT001, FBT002 -- Django's signature
    ) -> Callable[..., Any]:
        """Guard a view as Django does, and note what is done by it."""
        return noting.noted(self, super().admin_view(view, cacheable))

    def get_urls(self) -> list[URLPattern]:
        """Return all addresses: the models', and those that belong to none."""
        from project.core.admin import filters, tour  # noqa: PLC0415 -- pages need the site first

        own = [
            path("tour/", self.admin_view(tour.page), name="tour"),
            path("tour/<slug:name>/", self.admin_view(tour.step), name="tour_step"),
            path("health/", self.admin_view(self.health), name="health"),
            path("saved-filters/", self.admin_view(filters.keep), name="keep_filter"),
        ]
        return [*own, *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page shows."""
        found: dict[str, Any] = super().each_context(request)
        if self.has_permission(request):
            found["badges"] = badges.current(now=timezone.now())
        return found

    @staticmethod
    def health(request: HttpRequest) -> HttpResponse:
        """Answer the badge of each page: always 200, since browsers call others errors of the page."""
        found = health.all_issues(now=timezone.now())
        return JsonResponse({"status": health.status_of(found), "issues": len(found)})

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer the palette; nothing of it is kept, so that what was just made is found."""
        from project.core.admin import searching  # noqa: PLC0415 -- as above

        return searching.answer(self, request)
