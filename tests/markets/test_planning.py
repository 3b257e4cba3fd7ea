"""What the next cycle of a collector would do."""

from datetime import timedelta

import pytest

from markets import configuring, planning
from markets import rates as pace
from markets.models import Market, Series
from markets.rates import Rate
from project.core.moments import from_ms
from tests.markets import doing
from tests.markets.factories import (
    MINUTE,
    NOW,
    NOW_MS,
    START_MS,
    make_collector_config,
    make_rate_budget,
    make_series,
)
from tests.proxies.factories import make_proxy


def plan(collector, now=NOW):
    return planning.next_cycle(collector, now=now)


@pytest.mark.django_db
def test_a_series_that_is_up_to_date_costs_one_request():
    series = make_series("BTC/USDT")
    Series.objects.update(collected_from_ms=START_MS, collected_until_ms=NOW_MS - MINUTE)
    collector = make_collector_config(start_at=from_ms(START_MS))
    collector.exchange.refreshed_at = NOW

    found = plan(collector)

    assert [(step.market, step.requests, step.why_not) for step in found.steps] == [
        (str(series.market), 1, "")
    ]
    assert found.steps[0].end == NOW + timedelta(minutes=1)
    assert found.requests == 2  # and one for the time
    assert (found.way, found.can_leave) == ("directly", True)
    assert found.at_least_s == 0


@pytest.mark.django_db
def test_history_costs_as_many_requests_as_it_has_pages():
    make_series("BTC/USDT")
    start = NOW - timedelta(minutes=9_999)

    found = plan(make_collector_config(start_at=start))

    step = found.steps[0]
    assert (step.start, step.candles, step.requests) == (start, 10_000, 10)
    assert found.requests == 12  # the time, and the list of markets
    assert planning.totals(found) == {"series": 1, "candles": 10_000}


@pytest.mark.django_db
def test_the_budget_says_how_long_it_takes():
    make_series("BTC/USDT")
    collector = make_collector_config(
        start_at=NOW - timedelta(minutes=99_999), rate_requests=10, rate_per_s=60
    )

    assert plan(collector).at_least_s == pytest.approx(101 * 6.3)


@pytest.mark.django_db
def test_the_exchanges_own_limit_says_so_too():
    exchange = make_series("BTC/USDT").market.exchange
    exchange.rate_limits = [{"units": 20.0, "per_s": 60.0, "by_weight": True}]
    exchange.save()
    collector = make_collector_config(
        start_at=NOW - timedelta(minutes=99_999), rate_requests=6000, rate_per_s=60
    )

    found = plan(collector)

    assert list(map(str, found.rates)) == ["6,000 requests in 60 s", "20 weight in 60 s"]
    assert found.at_least_s == pytest.approx(101 * 2 * 63 / 20, rel=1e-4)  # a page weighs 2


@pytest.mark.django_db
def test_what_is_not_asked_for_says_why():
    for symbol in ("OFF/USDT", "GONE/USDT"):
        make_series(symbol)
    Market.objects.filter(symbol="OFF/USDT").update(enabled=False)
    Market.objects.filter(symbol="GONE/USDT").update(is_listed=False)
    names = ("OFF/USDT", "GONE/USDT", "NEW/USDT")
    symbols = [{"symbol": name, "timeframes": ["1m"]} for name in names]

    found = plan(make_collector_config(symbols=symbols))

    assert [step.why_not for step in found.steps] == [
        "the market is disabled",
        "the exchange lists it no more",
        "new: the cycle itself makes it first",
    ]
    assert found.requests == 0
    assert not Series.objects.filter(market__symbol="NEW/USDT").exists()


@pytest.mark.django_db
def test_the_way_out_is_told():
    required = make_collector_config(egress="proxy_required")
    preferred = make_collector_config(egress="proxy_preferred")

    assert plan(required).can_leave is False
    assert plan(preferred).way == "directly, since no proxy is healthy"
    make_proxy()
    assert plan(required).way == "through a proxy (1 are healthy)"
    assert plan(required).can_leave


@pytest.mark.django_db
def test_budgets_tell_what_waits_and_why():
    lead_us = pace.lead_us((Rate(1200, 60),))
    make_rate_budget(
        egress="direct",
        next_slot_us=(NOW_MS + 2_000) * 1000 + lead_us,
        used=5400,
        used_limit=6000,
        used_at=NOW,
    )
    make_rate_budget(
        egress="203.0.113.9", blocked_until=NOW + timedelta(seconds=90), block_reason="418"
    )

    found = plan(make_collector_config()).budgets

    assert [(one.egress, one.wait_s, one.why, one.used, one.used_limit) for one in found] == [
        ("203.0.113.9", 90.0, "418", None, None),
        ("direct", 2.0, "", 5400, 6000),
    ]


@pytest.mark.django_db
def test_a_variable_that_is_not_set_is_told():
    with pytest.raises(configuring.BadCollectorError, match="NOWHERE"):
        plan(make_collector_config(rest_url="${NOWHERE}"))


@pytest.mark.django_db(transaction=True)
def test_the_cycle_asks_for_what_the_plan_said(world, no_naps):
    collector = doing.make_local(world, start_at=from_ms(doing.LISTED_MS))
    doing.collect(collector)
    world.clock.advance(90 * MINUTE)
    collector.refresh_from_db()
    expected = plan(collector, from_ms(doing.CLOCK_MS + 90 * MINUTE))
    world.exchange.log.clear()

    doing.collect(collector)

    pages = [one for one in world.exchange.log.entries() if "klines" in one.path]
    assert len(pages) == expected.steps[0].requests
    assert expected.steps[0].requests == 1
