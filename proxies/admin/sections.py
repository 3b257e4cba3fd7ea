"""What opens below a row: of a proxy its latest leases and targets, of a lease its story."""

from typing import Any, Final

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.sections import TemplateSection

from proxies import explaining
from proxies.models import Lease, Proxy, TargetState

_SHOWN: Final = 6
#: Leases on a proxy's page.
_ON_PAGE: Final = 10


def with_sections(proxies: QuerySet[Proxy]) -> QuerySet[Proxy]:
    """Return ``proxies`` with what opens below each, in two queries for all of them."""
    leases = Lease.objects.order_by("-id")[:_SHOWN]
    targets = TargetState.objects.order_by("-blocked_until", "-last_lent_at")[:_SHOWN]
    return proxies.prefetch_related(
        Prefetch("leases", leases, to_attr="latest_leases"),
        Prefetch("targets", targets, to_attr="latest_targets"),
    )


class ProxySection(TemplateSection):
    """Leases and targets of one proxy."""

    template_name = "admin/proxies/proxy/section.html"

    def get_context_data(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        """Return what the template shows."""
        return {
            "leases": getattr(instance, "latest_leases", ()),
            "targets": getattr(instance, "latest_targets", ()),
            "now": timezone.now(),
        }


def with_neighbours(leases: QuerySet[Lease]) -> QuerySet[Lease]:
    """Return ``leases`` with the latest ones of the same proxy, in one query for all of them."""
    latest = Lease.objects.order_by("-id")[:_SHOWN]
    return leases.prefetch_related(Prefetch("proxy__leases", latest, to_attr="latest_leases"))


class LeaseSection(TemplateSection):
    """The story of one lease, and the latest leases of its proxy."""

    template_name = "admin/proxies/lease/section.html"

    def get_context_data(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        """Return what the template shows."""
        return {
            "why": explaining.choice(instance).text,
            "leases": getattr(instance.proxy, "latest_leases", ()),
        }


def lease_history(proxy: Proxy) -> SafeString:
    """Return the latest leases of a proxy, each to be opened."""
    leases = list(proxy.leases.order_by("-id")[:_ON_PAGE])
    told = [(lease, explaining.choice(lease).text) for lease in leases]
    context = {"leases": told, "proxy_id": proxy.pk}
    return render_to_string("admin/proxies/proxy/leases.html", context)
