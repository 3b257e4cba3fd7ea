"""When staff are told that a market can't be collected: after so many cycles that failed in a row."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from markets import classifying
from markets.models import Alert, CollectorConfig, Market
from project.core import announcing
from project.core.moments import stamp

RAISED: Final = announcing.register(
    "markets.alert_raised", "A market failed to be collected several times in a row"
)
CLOSED: Final = announcing.register(
    "markets.alert_closed", "A market of which an alert told is collected again"
)


def failed(
    collector: CollectorConfig, market: Market, error: BaseException, *, now: datetime
) -> Alert:
    """Count a cycle that failed for a market; raise the alert when it is one too many.

    However many tell of it at once, the alert is raised once.
    """
    facts = {
        "last_at": now,
        "error_class": classifying.classify(error).name,
        "message": str(error)[:300],
    }
    mine = Alert.objects.filter(collector=collector, market=market).unclosed()
    if not mine.update(failures=F("failures") + 1, **facts):
        try:
            with transaction.atomic():
                Alert.objects.create(collector=collector, market=market, began_at=now, **facts)
        except IntegrityError:  # a rival counted the first one
            mine.update(failures=F("failures") + 1, **facts)
    with transaction.atomic():
        due = mine.filter(raised_at__isnull=True, failures__gte=settings.ALERT_AFTER_FAILURES)
        is_new = bool(due.update(raised_at=now))
        alert = mine.select_related("collector", "market__exchange").get()
        if is_new:
            announcing.announce(RAISED, told(alert), now=now)
    return alert


def succeeded(collector: CollectorConfig, market_ids: set[int], *, now: datetime) -> int:
    """Close the alerts of markets that were collected; return how many there were.

    What failed less often than an alert needs is forgotten.
    """
    open_ones = Alert.objects.filter(collector=collector, market_id__in=market_ids).unclosed()
    closed = 0
    for alert in open_ones.select_related("collector", "market__exchange"):
        with transaction.atomic():
            mine = Alert.objects.filter(pk=alert.pk).unclosed()
            if alert.raised_at is None:
                mine.filter(raised_at__isnull=True).delete()
            elif mine.update(closed_at=now):
                closed += 1
                alert.closed_at = now
                announcing.announce(CLOSED, told(alert), now=now)
    return closed


def told(alert: Alert) -> dict[str, object]:
    """Return an alert as listeners get it: plain JSON."""
    return {
        "alert_id": alert.pk,
        "collector": alert.collector.name,
        "market": str(alert.market),
        "failures": alert.failures,
        "error_class": str(alert.error_class),
        "message": alert.message,
        "began_at": stamp(alert.began_at),
        "raised_at": stamp(alert.raised_at) if alert.raised_at else None,
        "closed_at": stamp(alert.closed_at) if alert.closed_at else None,
    }


def take_care(alert: Alert, *, user: str, now: datetime) -> bool:
    """Let staff say that they take care of it; False when somebody did before, or it is over."""
    mine = Alert.objects.filter(pk=alert.pk, seen_at__isnull=True).unclosed()
    return bool(mine.update(seen_at=now, seen_by=user[:150]))
