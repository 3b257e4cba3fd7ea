"""Makes rows of the app for tests, each with sensible fields."""

import itertools
from datetime import UTC, datetime
from typing import Any

from markets.choices import Source
from markets.models import BackfillTask, CollectorConfig, Exchange, Gap, Market, Series
from markets.rows import Row
from markets.storing import upsert_candles

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
MINUTE = 60_000
#: 2026-01-05T00:00Z, a Monday: on every grid.
START_MS = 1_767_571_200_000
_numbers = itertools.count(1)


def make_exchange(name: str = "binance") -> Exchange:
    return Exchange.objects.get_or_create(name=name)[0]


def make_market(symbol: str = "BTC/USDT", exchange: str = "binance", **fields: Any) -> Market:
    base, _, quote = symbol.partition("/")
    facts = {"base": base, "quote": quote, "enabled": True, **fields}
    found, _ = Market.objects.get_or_create(
        exchange=make_exchange(exchange), symbol=symbol, defaults=facts
    )
    return found


def make_series(
    symbol: str = "BTC/USDT", timeframe: str = "1m", exchange: str = "binance", **fields: Any
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


def make_collector(name: str = "", **fields: Any) -> CollectorConfig:
    facts: dict[str, Any] = {
        "exchange": make_exchange(fields.pop("exchange_name", "binance")),
        "symbols": [{"symbol": "BTC/USDT", "timeframes": ["1m"]}],
        **fields,
    }
    return CollectorConfig.objects.create(name=name or f"collector-{next(_numbers)}", **facts)


def make_gap(series: Series, start_ms: int, end_ms: int, **fields: Any) -> Gap:
    missing = (end_ms - start_ms) // MINUTE
    facts = {"missing": missing, "found_at": NOW, **fields}
    return Gap.objects.create(series=series, start_ms=start_ms, end_ms=end_ms, **facts)


def make_task(series: Series, start_ms: int, end_ms: int, **fields: Any) -> BackfillTask:
    facts = {"created_at": NOW, **fields}
    return BackfillTask.objects.create(series=series, start_ms=start_ms, end_ms=end_ms, **facts)
