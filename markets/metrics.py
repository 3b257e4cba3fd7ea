"""What the app counts, and what it reads from the database at each scrape."""

from typing import Final

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from markets.choices import GapState
from markets.models import Alert, BackfillTask, Gap, RateBudget, Series
from project.core import metrics

REQUESTS: Final = Counter(
    "markets_requests_total", "Requests to exchanges, by outcome", ["exchange", "outcome"]
)
REQUEST_SECONDS: Final = Histogram(
    "markets_request_seconds", "Time an exchange took to answer", ["exchange"]
)
CANDLES: Final = Counter(
    "markets_candles_total", "Candles stored, by what became of them", ["exchange", "result"]
)
FINDINGS: Final = Counter(
    "markets_findings_total", "Rows of answers that were wrong", ["exchange", "kind"]
)


ERRORS: Final = Counter(
    "markets_errors_total",
    "Failures, by class (README, Classes of errors)",
    ["exchange", "error_class"],
)


@metrics.register
def ledger() -> list[Metric]:
    """Return how many gaps and tasks there are, and how many series fail."""
    gaps = GaugeMetricFamily("markets_gaps", "Gaps of the ledger", labels=["state", "reason"])
    missing = Gap.objects.missing().order_by().values_list("state", "reason")
    for state, reason, count in missing.annotate(count=Count("pk")):
        gaps.add_metric([state, reason], count)
    oldest = GaugeMetricFamily(
        "markets_gap_oldest_seconds", "How long the oldest gap that can be repaired has stood"
    )
    found_at = Gap.objects.filter(state=GapState.OPEN).aggregate(at=Min("found_at"))["at"]
    oldest.add_metric([], (timezone.now() - found_at).total_seconds() if found_at else 0)
    tasks = GaugeMetricFamily("markets_backfill_tasks", "Backfill tasks", labels=["status"])
    unended = BackfillTask.objects.order_by().values_list("status")
    for status, count in unended.annotate(count=Count("pk")):
        tasks.add_metric([status], count)
    failing = GaugeMetricFamily("markets_series_failing", "Enabled series whose collecting fails")
    failing.add_metric([], Series.objects.enabled().filter(failures__gt=0).count())
    broken = GaugeMetricFamily(
        "markets_budget_failures", "Failures in a row", labels=["exchange", "egress"]
    )
    for budget in RateBudget.objects.filter(failures__gt=0):
        broken.add_metric([budget.exchange, budget.egress], budget.failures)
    alerts = GaugeMetricFamily(
        "markets_alerts", "Markets that fail again and again", labels=["exchange", "error_class"]
    )
    told = Alert.objects.unclosed().raised().order_by()
    told_by = told.values_list("market__exchange__name", "error_class")
    for exchange, name, count in told_by.annotate(count=Count("pk")):
        alerts.add_metric([exchange, name], count)
    return [gaps, oldest, tasks, failing, broken, alerts]
