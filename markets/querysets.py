"""Sets of the app's rows; every method narrows or orders, none writes."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q

from markets.choices import MISSING, UNENDED, GapState, TaskStatus

if TYPE_CHECKING:
    from markets.models.candles import Candle  # noqa: F401 -- in strings
    from markets.models.collectors import CollectorConfig  # noqa: F401 -- in strings
    from markets.models.errors import Alert  # noqa: F401 -- in strings
    from markets.models.places import Market, Series  # noqa: F401 -- in strings
    from markets.models.quality import BackfillTask, Finding, Gap  # noqa: F401 -- in strings


class MarketQuerySet(models.QuerySet["Market"]):
    """Sets of markets."""

    def named(self, exchange: str, symbol: str) -> Self:
        """The market ``symbol`` of ``exchange``, e.g. ``named("binance", "BTC/USDT")``."""
        return self.filter(exchange__name=exchange, symbol=symbol)


class SeriesQuerySet(models.QuerySet["Series"]):
    """Sets of series."""

    def enabled(self) -> Self:
        """Series of markets that staff enabled."""
        return self.filter(market__enabled=True)


class CandleQuerySet(models.QuerySet["Candle"]):
    """Sets of candles."""

    def within(self, start_ms: int | None, end_ms: int | None) -> Self:
        """Candles that open in ``[start_ms, end_ms)``; None is without that end."""
        found = self
        if start_ms is not None:
            found = found.filter(open_time__gte=start_ms)
        if end_ms is not None:
            found = found.filter(open_time__lt=end_ms)
        return found


class CollectorConfigQuerySet(models.QuerySet["CollectorConfig"]):
    """Sets of collectors."""

    def enabled(self) -> Self:
        """Collectors that the cycle runs."""
        return self.filter(enabled=True)


class GapQuerySet(models.QuerySet["Gap"]):
    """Sets of gaps."""

    def missing(self) -> Self:
        """Gaps whose candles are missing still."""
        return self.filter(state__in=MISSING)

    def due(self, *, at: datetime) -> Self:
        """Open gaps that may be looked at (again) at ``at``."""
        return self.filter(
            Q(next_look_at__isnull=True) | Q(next_look_at__lte=at), state=GapState.OPEN
        )

    def inside(self, start_ms: int, end_ms: int) -> Self:
        """Gaps that lie whole in ``[start_ms, end_ms)``."""
        return self.filter(start_ms__gte=start_ms, end_ms__lte=end_ms)

    def touching(self, start_ms: int, end_ms: int) -> Self:
        """Gaps that have a candle in common with ``[start_ms, end_ms)``."""
        return self.filter(start_ms__lt=end_ms, end_ms__gt=start_ms)


class BackfillTaskQuerySet(models.QuerySet["BackfillTask"]):
    """Sets of backfill tasks."""

    def unended(self) -> Self:
        """Tasks that wait or work."""
        return self.filter(status__in=UNENDED)

    def due(self, *, at: datetime) -> Self:
        """Tasks that may be taken at ``at``."""
        return self.filter(
            Q(next_try_at__isnull=True) | Q(next_try_at__lte=at), status=TaskStatus.PENDING
        )

    def most_urgent_first(self) -> Self:
        """By priority, the highest first, then by age."""
        return self.order_by(F("priority").desc(), "created_at", "id")


class FindingQuerySet(models.QuerySet["Finding"]):
    """Sets of findings."""

    def unsettled(self) -> Self:
        """Findings that nobody said to be right; they count."""
        return self.filter(settled_at__isnull=True)

    def touching(self, start_ms: int, end_ms: int) -> Self:
        """Findings that have a moment in common with ``[start_ms, end_ms)``."""
        return self.filter(start_ms__lt=end_ms, end_ms__gt=start_ms)


class AlertQuerySet(models.QuerySet["Alert"]):
    """Sets of alerts, and of failures that are none yet."""

    def unclosed(self) -> Self:
        """Those that no success closed yet."""
        return self.filter(closed_at__isnull=True)

    def raised(self) -> Self:
        """Those that became alerts."""
        return self.filter(raised_at__isnull=False)
