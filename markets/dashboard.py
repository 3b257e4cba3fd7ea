"""Which figures and issues of the app staff see on the front page."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, F, Min, Q
from django.urls import reverse

from markets.choices import GapState, TaskStatus
from markets.models import Alert, BackfillTask, CollectorConfig, Gap, RateBudget, Series
from project.core import figures, issues
from project.core.figures import Figure
from project.core.issues import AMBER, RED, Issue

#: An open gap that is older was not repaired as it should have been.
GAP_TOO_OLD: Final = timedelta(hours=6)
#: Failures in a row after which a series is an issue.
FAILS_TOO_OFTEN: Final = 3


def _list(model: str, query: str = "") -> str:
    return reverse(f"admin:markets_{model}_changelist") + query


@figures.register
def figures_of_markets(now: datetime) -> list[Figure]:
    """Return series collected, gaps, and the queue of repairs."""
    series = Series.objects.enabled().aggregate(
        all=Count("pk"),
        fresh=Count("pk", filter=Q(collected_at__gte=now - timedelta(minutes=5))),
        failing=Count("pk", filter=Q(failures__gt=0)),
    )
    gaps = Gap.objects.aggregate(
        open=Count("pk", filter=Q(state__in=[GapState.OPEN, GapState.FILLING])),
        lost=Count("pk", filter=Q(state=GapState.UNAVAILABLE)),
        day=Count("pk", filter=Q(found_at__gte=now - timedelta(hours=24))),
    )
    tasks = BackfillTask.objects.aggregate(
        waiting=Count("pk", filter=Q(status=TaskStatus.PENDING)),
        running=Count("pk", filter=Q(status=TaskStatus.RUNNING)),
        failed=Count("pk", filter=Q(status=TaskStatus.FAILED)),
    )
    return [
        Figure(
            "series_collected",
            "Series collected",
            f"{series['all']:,}",
            f"{series['fresh']:,} in the last 5 min · {series['failing']:,} failing",
            _list("series"),
            "bad" if series["failing"] else "neutral",
        ),
        Figure(
            "gaps_open",
            "Gaps open",
            f"{gaps['open']:,}",
            f"+{gaps['day']:,} in 24 h · {gaps['lost']:,} unavailable",
            _list("gap", "?state__exact=open"),
            "warning" if gaps["open"] else "good",
        ),
        Figure(
            "backfill_tasks",
            "Backfill tasks",
            f"{tasks['waiting'] + tasks['running']:,}",
            f"{tasks['running']:,} running · {tasks['failed']:,} failed",
            _list("backfilltask", "?status__exact=pending"),
            "warning" if tasks["failed"] else "neutral",
        ),
    ]


@issues.register
def issues_of_markets(now: datetime) -> list[Issue]:
    """Return what needs a person: failing series, old gaps, failed tasks, addresses banned."""
    return [*_alerts(), *_failing_series(), *_old_gaps(now), *_failed_tasks(), *_blocked(now)]


def _alerts() -> list[Issue]:
    """Return the alerts that are open: one issue, which names the first that nobody cares for."""
    raised = Alert.objects.unclosed().raised()
    count = raised.count()
    if not count:
        return []
    first = raised.select_related("collector", "market__exchange")
    worst = first.order_by(F("seen_at").asc(nulls_first=True), "-failures")[0]
    more = f" and {count - 1:,} more" if count > 1 else ""
    text = (
        f"{worst.market} failed {worst.failures:,} times in a row for {worst.collector}"
        f" ({worst.error_class}){more}"
    )
    url = _list("alert", "?state=open")
    return [Issue("collecting_alert", AMBER, text, "Show the alerts", url)]


def _failing_series() -> list[Issue]:
    failing = Series.objects.enabled().filter(failures__gte=FAILS_TOO_OFTEN)
    count = failing.count()
    if not count:
        return []
    first = failing.order_by("-failures").values_list("last_error", flat=True)[0]
    severity = RED if count == Series.objects.enabled().count() else AMBER
    text = f"{count} series can't be collected: {first}"
    return [Issue("collecting_fails", severity, text, "Show them", _list("series"))]


def _old_gaps(now: datetime) -> list[Issue]:
    old = Gap.objects.filter(state=GapState.OPEN, found_at__lt=now - GAP_TOO_OLD)
    found = old.aggregate(count=Count("pk"), oldest=Min("found_at"))
    if not found["count"]:
        return []
    hours = (now - found["oldest"]).total_seconds() / 3600
    text = f"{found['count']:,} gaps are not repaired, the oldest for {hours:.0f} h"
    return [Issue("gap_not_repaired", AMBER, text, "Show them", _list("gap", "?state__exact=open"))]


def _failed_tasks() -> list[Issue]:
    count = BackfillTask.objects.filter(status=TaskStatus.FAILED).count()
    if not count:
        return []
    url = _list("backfilltask", "?status__exact=failed")
    return [Issue("backfill_failed", AMBER, f"{count:,} backfill tasks failed", "Retry them", url)]


def _blocked(now: datetime) -> list[Issue]:
    blocked = RateBudget.objects.filter(egress="direct", blocked_until__gt=now)
    if not CollectorConfig.objects.enabled().exists():
        return []
    return [
        Issue(
            "exchange_blocks_us",
            AMBER,
            f"{one.exchange} is not asked directly until {one.blocked_until:%H:%M} UTC: "
            f"{one.block_reason}",
            "Show it",
            _list("ratebudget"),
        )
        for one in blocked
    ]
