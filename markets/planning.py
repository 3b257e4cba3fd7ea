"""What the next cycle of a collector would do: what it asks of each series, by which way, for how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from markets import asking, budgeting, collecting, configuring, discovering, timeframes
from markets import rates as pace
from markets.adapters import venues
from markets.choices import Egress, Mode
from markets.configuring import Means
from markets.models import CollectorConfig, RateBudget, Series
from markets.paging import Pager
from markets.rates import Rate
from project.core.moments import from_ms, to_ms
from proxies.models import Proxy

#: Series whose steps are worked out; of a collector with more the first are.
MOST_SERIES: Final = 200


@dataclass(frozen=True, slots=True)
class Step:
    """What would be asked of one series.

    Attributes:
        market: e.g. ``binance:BTC/USDT``.
        start: first moment asked for, UTC; None where nothing would be.
        end: exclusive.
        candles: how many would be asked for.
        requests: in how many pages.
        why_not: why nothing would be asked; empty where something is.
    """

    market: str
    timeframe: str
    start: datetime | None = None
    end: datetime | None = None
    candles: int = 0
    requests: int = 0
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """How things stand with what may leave.

    Attributes:
        egress: ``direct``, or an exit address.
        wait_s: until the next request may leave.
        why: what the exchange said, where it wants none.
        failures: in a row.
        used: weight that the exchange counted of this address, as it told last; None: it doesn't.
        used_limit: of that window.
        used_at: when it told.
    """

    egress: str
    wait_s: float = 0.0
    why: str = ""
    failures: int = 0
    used: int | None = None
    used_limit: int | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NextCycle:
    """The next cycle.

    Attributes:
        steps: by series.
        requests: of all steps, and those for the time and the list of markets.
        at_least_s: how long the budget alone makes it last.
        way: which way requests would leave, in words.
        can_leave: whether there is such a way now.
        rates: all that hold, the collector's own first.
        budgets: of the ways that the exchange was asked by lately, those that wait first.
        left_out: series beyond ``MOST_SERIES``.
    """

    steps: list[Step]
    requests: int
    at_least_s: float
    way: str
    can_leave: bool
    budgets: list[Budget]
    rates: tuple[Rate, ...] = ()
    left_out: int = 0


def next_cycle(collector: CollectorConfig, *, now: datetime) -> NextCycle:
    """Return what the next cycle would do; nothing is asked, nothing written.

    Our clock stands in for the exchange's, which a cycle asks for first.

    Raises:
        BadCollectorError: its URL names a variable that is not set.
    """
    means = configuring.means_of(collector)
    named = [
        (part["symbol"], timeframe)
        for part in collector.symbols
        for timeframe in part["timeframes"]
    ]
    steps = [_step(collector, means, pair, now) for pair in named[:MOST_SERIES]]
    is_due = discovering.is_due(collector.exchange, now=now)
    requests = sum(step.requests for step in steps)
    requests += 1 + int(is_due) if requests else 0
    each_us = pace.taken_us(means.rates, venues.page_weight(means.exchange))
    way, can_leave = _way(means)
    return NextCycle(
        steps,
        requests,
        max(0, requests * each_us - max(each_us, pace.lead_us(means.rates))) / 1e6,
        way,
        can_leave,
        _budgets(means, now),
        means.rates,
        max(0, len(named) - MOST_SERIES),
    )


def _step(collector: CollectorConfig, means: Means, pair: tuple[str, str], now: datetime) -> Step:
    symbol, timeframe = pair
    market = f"{means.exchange}:{symbol}"
    series = (
        Series.objects.select_related("market__exchange")
        .filter(market__exchange=collector.exchange, market__symbol=symbol, timeframe=timeframe)
        .first()
    )
    if why_not := _why_not(collector, series):
        return Step(market, timeframe, why_not=why_not)
    if series is None:
        return Step(market, timeframe, why_not="new: the cycle itself makes it first")
    grid = timeframes.of(timeframe)
    pager = Pager(asking.line_for(means, holder="nobody"), series, grid)
    plan = collecting.plan_of(collector, series, pager, now_ms=to_ms(now))
    spans = [span for span in (plan.older, plan.newer) if span[1] > span[0]]
    if not spans:
        return Step(market, timeframe, why_not="everything that was wanted is there")
    return Step(
        market,
        timeframe,
        from_ms(min(start for start, _ in spans)),
        from_ms(max(end for _, end in spans)),
        sum(grid.count(*span) for span in spans),
        sum(_pages(grid.count(*span), pager.limit_at(span[0])) for span in spans),
    )


def _why_not(collector: CollectorConfig, series: Series | None) -> str:
    if collector.mode == Mode.LIVE:
        return "streams, no cycles"
    if series is None:
        return ""
    if not series.market.enabled:
        return "the market is disabled"
    if not series.market.is_listed:
        return "the exchange lists it no more"
    return ""


def _pages(candles: int, limit: int) -> int:
    return -(-candles // max(1, limit))


def _way(means: Means) -> tuple[str, bool]:
    if means.egress == Egress.DIRECT:
        return "directly", True
    free = Proxy.objects.healthy().count()
    if free:
        return f"through a proxy ({free:,} are healthy)", True
    if means.egress == Egress.REQUIRED:
        return "through a proxy, and none is healthy: nothing would leave", False
    return "directly, since no proxy is healthy", True


def _budgets(means: Means, now: datetime) -> list[Budget]:
    rows = RateBudget.objects.filter(exchange=means.exchange)[:500]
    found = [_budget(row, pace.lead_us(means.rates), now) for row in rows]
    if not any(one.egress == budgeting.DIRECT for one in found):
        found.append(Budget(budgeting.DIRECT))
    return sorted(found, key=lambda one: (-one.wait_s, one.egress != budgeting.DIRECT))[:10]


def _budget(row: RateBudget, lead_us: int, now: datetime) -> Budget:
    busy = timedelta(microseconds=row.next_slot_us - lead_us - round(now.timestamp() * 1e6))
    blocked = row.blocked_until - now if row.blocked_until else timedelta()
    is_blocked = blocked > timedelta()
    return Budget(
        row.egress,
        max(0.0, busy.total_seconds(), blocked.total_seconds()),
        row.block_reason if is_blocked else "",
        row.failures,
        row.used,
        row.used_limit,
        row.used_at,
    )


def totals(cycle: NextCycle) -> dict[str, int]:
    """Return the sums of a cycle's steps."""
    asked: Sequence[Step] = [step for step in cycle.steps if not step.why_not]
    return {"series": len(asked), "candles": sum(step.candles for step in asked)}
