"""What the app counts; sessions are read from the database at each scrape."""

from collections.abc import Iterable
from typing import Final

from django.utils import timezone
from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily, Metric

from accounts.models import Session
from project.core import metrics

WEBHOOK_DELIVERIES: Final = Counter(
    "webhook_deliveries", "Attempts to deliver to webhooks", ["event", "result"]
)
RATE_LIMIT_REQUESTS: Final = Counter(
    "rate_limit_requests", "Requests that a rule counted", ["result", "rule"]
)


@metrics.register
def sessions() -> Iterable[Metric]:
    """Return in how many browsers somebody is signed in."""
    active = GaugeMetricFamily("sessions_active", "Browser sessions of somebody signed in")
    standing = Session.objects.filter(expire_date__gt=timezone.now(), user__isnull=False)
    active.add_metric([], standing.count())
    return [active]
