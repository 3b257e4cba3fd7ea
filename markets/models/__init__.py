"""What the app remembers, by matter."""

from markets.models.audits import AuditDifference
from markets.models.candles import Candle, CandleRevision
from markets.models.collectors import CollectorConfig, RateBudget
from markets.models.errors import Alert, ApiErrorLog
from markets.models.places import Exchange, Market, Series
from markets.models.quality import BackfillTask, Finding, Gap, QualitySummary

__all__ = [
    "Alert",
    "ApiErrorLog",
    "AuditDifference",
    "BackfillTask",
    "Candle",
    "CandleRevision",
    "CollectorConfig",
    "Exchange",
    "Finding",
    "Gap",
    "Market",
    "QualitySummary",
    "RateBudget",
    "Series",
]
