"""What the page of a market says about its quality: each day's score, and what was found."""

from collections import Counter
from typing import Any, Final

from django.db.models import Count
from django.utils import timezone

from markets import reporting, timeframes
from markets.admin.drawing import trend
from markets.admin.showing import at
from markets.choices import ODD, FindingKind
from markets.models import Finding, Market

#: Days of the trend.
DAYS: Final = 90
#: Findings that are shown, the latest; all of them are counted.
SHOWN: Final = 10


def quality_of(market: Market) -> dict[str, Any]:
    """Return the context of ``admin/markets/market/quality.html``, by three queries."""
    series = sorted(market.series.all(), key=lambda one: timeframes.of(one.timeframe).step_ms)
    rows = reporting.heat_map(series, days=DAYS, now=timezone.now())
    found = Finding.objects.unsettled().filter(series__in=series)
    counts = Counter(dict(found.order_by().values_list("kind").annotate(count=Count("pk"))))
    latest = found.select_related("series").order_by("-start_ms", "-id")[:SHOWN]
    return {
        "trend_days": DAYS,
        "trends": [(row.series, trend(row.cells)) for row in rows],
        "found": [(FindingKind(kind).label, count) for kind, count in counts.most_common()],
        "found_in_all": sum(counts.values()),
        "findings": [(one, at(one.start_ms), one.kind in ODD) for one in latest],
    }
