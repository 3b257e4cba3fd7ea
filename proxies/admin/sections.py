"""What opens below a row of the pool's list: its latest leases, and where it stands at targets."""

from typing import Any, Final

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.sections import TemplateSection

from proxies.models import Lease, Proxy, TargetState

_SHOWN: Final = 6


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
