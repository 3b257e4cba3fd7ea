"""What the app counts; sizes are read from the database at each scrape."""

from collections.abc import Iterable
from typing import Final

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from project.core import metrics
from proxies.choices import Pool
from proxies.models import Lease, Proxy

_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

FETCHES: Final = Counter(
    "proxy_fetch_source_total", "Fetches of a source, by outcome", ["source", "outcome"]
)
FETCH_DURATION: Final = Histogram(
    "proxy_fetch_duration_seconds", "Time one fetch took", ["source"], buckets=_SECONDS
)
FETCH_FAILURES: Final = Counter(
    "proxy_fetch_failures_total", "Fetches that failed, by error", ["source", "error_type"]
)
CHECKS: Final = Counter("proxy_validation_total", "Checks of proxies, by verdict", ["outcome"])
CHECK_LATENCY: Final = Histogram(
    "proxy_validation_latency_seconds", "Latency of good checks", buckets=_SECONDS
)
TARGET_CHECKS: Final = Counter(
    "proxy_target_checks_total", "Checks whether a proxy reaches a site", ["target", "outcome"]
)
TARGET_LATENCY: Final = Histogram(
    "proxy_target_latency_seconds",
    "Time in which proxies reached a site",
    ["target"],
    buckets=_SECONDS,
)
ETL: Final = Counter(
    "etl_sync_total", "Snapshots for the ETL endpoint: sent, retried, failed", ["outcome"]
)
LEASED: Final = Counter("proxy_leased_total", "Leases given, by pool", ["pool"])
LEASE_REQUESTS: Final = Counter(
    "proxy_lease_requests_total", "Leases asked for: granted, reused, none", ["result"]
)
RETURNED_EARLY: Final = Counter(
    "proxy_lease_returned_early_total", "Leases given back before they ran out"
)
EXPIRED: Final = Counter("proxy_lease_expired_total", "Leases that ran out")
REUSE_ATTEMPTS: Final = Counter(
    "proxy_lease_reuse_attempts_total", "Renewals and releases with a token that is stale"
)
MENDED: Final = Counter(
    "proxy_lease_mended_total", "Slots and records that disagreed, by what was done", ["done"]
)
HOLD: Final = Histogram(
    "proxy_lease_hold_seconds", "Time a proxy was held until it was given back", buckets=_SECONDS
)
#: Requests that pass Django's middlewares by, and so its metrics of requests.
DESK_LATENCY: Final = Histogram(
    "proxy_lease_request_seconds",
    "Time of REST requests about leases",
    ["deed", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
)


@metrics.register
def pools() -> Iterable[Metric]:
    """Return sizes of pools, active leases and the age of the oldest."""
    size = GaugeMetricFamily("proxy_pool_size", "Healthy proxies", labels=["pool"])
    active = GaugeMetricFamily("proxy_leases_active", "Leases that stand", labels=["pool"])
    oldest = GaugeMetricFamily("proxy_lease_oldest_seconds", "Age of the oldest standing lease")
    now = timezone.now()
    healthy = Proxy.objects.healthy().order_by().values_list("pool")
    sizes = dict(healthy.annotate(count=Count("pk")))
    standing = Lease.objects.standing(at=now).order_by().values("pool")
    leases = {
        row["pool"]: row for row in standing.annotate(count=Count("pk"), first=Min("acquired_at"))
    }
    for pool in Pool.values:
        size.add_metric([pool], sizes.get(pool, 0))
        active.add_metric([pool], leases[pool]["count"] if pool in leases else 0)
    began = min((row["first"] for row in leases.values()), default=now)
    oldest.add_metric([], (now - began).total_seconds())
    return [size, active, oldest]
