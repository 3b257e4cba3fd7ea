"""Makes rows of the app for tests, each with sensible fields."""

import itertools
from datetime import UTC, datetime
from typing import Any

from markets import partitions
from markets.choices import Source
from markets.models import (
    Alert,
    ApiErrorLog,
    AuditDifference,
    BackfillTask,
    CandleRevision,
    CollectorConfig,
    Exchange,
    Finding,
    Gap,
    Market,
    QualitySummary,
    RateBudget,
    Series,
)
from markets.rows import Row
from markets.storing import upsert_candles
from project.core.moments import to_ms

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
MINUTE = 60_000
#: 2026-01-05T00:00Z, a Monday: on every grid.
START_MS = 1_767_571_200_000
_numbers = itertools.count(1)


def make_exchange(name: str = "") -> Exchange:
    return Exchange.objects.get_or_create(name=name or f"exchange{next(_numbers)}")[0]


def make_market(symbol: str = "", exchange: str = "binance", **fields: Any) -> Market:
    symbol = symbol or f"C{next(_numbers)}/USDT"
    base, _, quote = symbol.partition("/")
    facts = {"base": base, "quote": quote, "enabled": True, **fields}
    found, _ = Market.objects.get_or_create(
        exchange=make_exchange(exchange), symbol=symbol, defaults=facts
    )
    return found


def make_series(
    symbol: str = "", timeframe: str = "1m", exchange: str = "binance", **fields: Any
) -> Series:
    market = make_market(symbol, exchange)
    return Series.objects.get_or_create(market=market, timeframe=timeframe, defaults=fields)[0]


def make_row(open_time: int = START_MS, price: float = 100.0, **fields: Any) -> Row:
    facts = {
        "open": price,
        "high": price + 1,
        "low": price - 1,
        "close": price + 0.5,
        "volume": 10.0,
        **fields,
    }
    return Row(open_time, **facts)


def make_rows(count: int, *, start_ms: int = START_MS, step_ms: int = MINUTE) -> list[Row]:
    return [make_row(start_ms + number * step_ms, 100.0 + number % 7) for number in range(count)]


def make_candles(
    series: Series,
    count: int = 10,
    *,
    start_ms: int = START_MS,
    without: tuple[int, ...] | range = (),
    step_ms: int = MINUTE,
) -> list[Row]:
    """Store ``count`` candles, leaving out the numbers ``without``."""
    rows = make_rows(count, start_ms=start_ms, step_ms=step_ms)
    kept = [row for number, row in enumerate(rows) if number not in without]
    upsert_candles(series_id=series.pk, rows=kept, source=Source.IMPORT, now=NOW)
    return kept


def make_collector_config(name: str = "", **fields: Any) -> CollectorConfig:
    facts: dict[str, Any] = {
        "exchange": make_exchange(fields.pop("exchange_name", "binance")),
        "symbols": [{"symbol": "BTC/USDT", "timeframes": ["1m"]}],
        **fields,
    }
    return CollectorConfig.objects.create(name=name or f"collector-{next(_numbers)}", **facts)


def make_rate_budget(**fields: Any) -> RateBudget:
    facts = {"exchange": "binance", "egress": f"203.0.113.{next(_numbers)}", **fields}
    return RateBudget.objects.create(**facts)


def make_gap(
    series: Series | None = None,
    start_ms: int = START_MS,
    end_ms: int = START_MS + MINUTE,
    **fields: Any,
) -> Gap:
    facts = {"missing": (end_ms - start_ms) // MINUTE, "found_at": NOW, **fields}
    return Gap.objects.create(
        series=series or make_series(), start_ms=start_ms, end_ms=end_ms, **facts
    )


def make_backfill_task(
    series: Series | None = None,
    start_ms: int = START_MS,
    end_ms: int = START_MS + MINUTE,
    **fields: Any,
) -> BackfillTask:
    facts = {"created_at": NOW, **fields}
    return BackfillTask.objects.create(
        series=series or make_series(), start_ms=start_ms, end_ms=end_ms, **facts
    )


def make_quality_summary(series: Series | None = None, **fields: Any) -> QualitySummary:
    facts = {"start_ms": START_MS, "end_ms": START_MS + 86_400_000, "computed_at": NOW, **fields}
    partitions.ensure_summaries(facts["start_ms"], facts["end_ms"])
    return QualitySummary.objects.create(series=series or make_series(), **facts)


def make_candle_revision(series: Series | None = None, **fields: Any) -> CandleRevision:
    facts: dict[str, Any] = {"open_time": START_MS, "seen_at": NOW, "source": Source.COLLECT}
    for name in ("open", "high", "low", "close", "volume"):
        facts |= {f"old_{name}": 1.0, f"new_{name}": 2.0}
    return CandleRevision.objects.create(series=series or make_series(), **{**facts, **fields})


def make_finding(series: Series | None = None, **fields: Any) -> Finding:
    start_ms = fields.pop("start_ms", START_MS)
    facts: dict[str, Any] = {
        "kind": "price_jump",
        "start_ms": start_ms,
        "end_ms": start_ms + MINUTE,
        "is_stored": True,
        "source": Source.COLLECT,
        "found_at": NOW,
        "last_seen_at": NOW,
        **fields,
    }
    return Finding.objects.create(series=series or make_series(), **facts)


def make_api_error_log(**fields: Any) -> ApiErrorLog:
    facts: dict[str, Any] = {
        "happened_ms": to_ms(fields.pop("happened_at", NOW)),
        "exchange": "binance",
        "market": "BTC/USDT",
        "timeframe": "1m",
        "error_class": "timeout",
        "is_retryable": True,
        "code": "timeout",
        **fields,
    }
    partitions.ensure_errors(facts["happened_ms"], facts["happened_ms"] + 1)
    return ApiErrorLog.objects.create(**facts)


def make_alert(**fields: Any) -> Alert:
    facts: dict[str, Any] = {
        "failures": 3,
        "began_at": NOW,
        "last_at": NOW,
        "raised_at": NOW,
        "error_class": "timeout",
        "message": "no answer in time",
        **fields,
    }
    if "collector" not in facts:
        facts["collector"] = make_collector_config()
    if "market" not in facts:
        facts["market"] = make_market()
    return Alert.objects.create(**facts)


def make_audit_difference(series: Series | None = None, **fields: Any) -> AuditDifference:
    facts: dict[str, Any] = {
        "open_time": START_MS + next(_numbers) * MINUTE,
        "kind": "differs",
        "stored": {"open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "volume": 3.0},
        "told": {"open": 1.0, "high": 2.0, "low": 0.5, "close": 1.75, "volume": 3.0},
        "found_at": NOW,
        **fields,
    }
    return AuditDifference.objects.create(series=series or make_series(), **facts)
