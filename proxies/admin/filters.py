"""Filters of the pool's list that no field has by itself."""

from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import MultipleDropdownFilter, TextFilter

from proxies import finding
from proxies.finding import Filter
from proxies.models import Proxy


class CountryFilter(MultipleDropdownFilter):
    """Proxies of some countries; those that there are, the most frequent first."""

    title = "country"
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Proxy.objects.exclude(country="").order_by().values_list("country")
        counted = rows.annotate(count=Count("pk")).order_by("-count", "country")
        return [(country, f"{country} ({count:,})") for country, count in counted]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Proxy]) -> QuerySet[Proxy]:
        chosen = [code for code in self.value() or () if code]
        return queryset.filter(country__in=chosen) if chosen else queryset


class NetworkFilter(TextFilter):
    """Proxies that leave from a network."""

    title = "network"
    parameter_name = "network"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Proxy]) -> QuerySet[Proxy]:
        return queryset.filter(network__icontains=self.value()) if self.value() else queryset


class OpenToFilter(TextFilter):
    """Proxies that may be lent for a site now, as far as the site is concerned."""

    title = "not banned at (host)"
    parameter_name = "open_to"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Proxy]) -> QuerySet[Proxy]:
        if not self.value():
            return queryset
        return finding.narrow(queryset, Filter(target=str(self.value())), now=timezone.now())  # type: ignore[arg-type]  # the model's own queryset


class NamedByFilter(TextFilter):
    """Proxies that a source names."""

    title = "source (name)"
    parameter_name = "named_by"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Proxy]) -> QuerySet[Proxy]:
        if not self.value():
            return queryset
        return queryset.filter(entries__source__name__icontains=self.value()).distinct()
