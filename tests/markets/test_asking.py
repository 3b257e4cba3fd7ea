"""Which way requests leave, when, and what is told to the pool of proxies."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from django.db import connection
from django.utils import timezone

from markets import asking, budgeting, discovering
from markets.adapters import wire
from markets.adapters.wire import PageAsk
from markets.asking import Tools
from markets.choices import Egress, Policy
from markets.configuring import Means
from markets.models import Candle, Exchange, RateBudget
from markets.rates import Rate
from project import sandbox
from project.core.addresses import ForbiddenAddressError
from project.core.callers import SYSTEM
from project.core.working import StopWorkError
from project.sandbox import Fault, FaultKind, ProxyKind, ProxySpec
from proxies import leasing
from proxies.models import Lease
from tests.markets import doing
from tests.markets.factories import MINUTE
from tests.proxies.factories import make_proxy

pytestmark = pytest.mark.django_db(transaction=True)
EXITS = ("127.0.0.11", "127.0.0.12")
ROOT = Path(sandbox.__file__).parents[2]


@pytest.fixture
def outside():
    """An exchange behind two proxies that leave from addresses of their own."""
    plan = sandbox.WorldPlan(
        symbols=("BTC/USDT",),
        listed_ms=doing.LISTED_MS,
        clock_ms=doing.CLOCK_MS,
        proxies=[ProxySpec(exit_address=address) for address in EXITS],
    )
    with sandbox.running(plan) as world:
        yield world


def pool(world, *numbers):
    """Make the world's proxies known as healthy ones."""
    made = []
    for number in numbers or range(len(world.proxies)):
        proxy = world.proxies[number]
        made.append(make_proxy(host="127.0.0.1", port=proxy.port, exit_ip=proxy.spec.exit_address))
    return made


def means(world, **changes):
    facts = {
        "exchange": "binance",
        "rest_url": world.exchange.url,
        "timeout_s": 2.0,
        "rate_requests": 100_000,
        "rate_per_s": 60.0,
        "retry_attempts": 4,
        "retry_base_s": 1.0,
        "retry_max_s": 8.0,
        "egress": Egress.REQUIRED,
        "policy": Policy.SKIP,
        "request_limit": 100,
    }
    return Means(**{**facts, **changes})


def ask_time(world, **changes):
    with asking.line_for(means(world, **changes), holder="tests") as line:
        return line.ask(lambda venue: venue.time_ms())


def outcomes():
    return list(Lease.objects.order_by("pk").values_list("outcome", flat=True))


def test_a_required_proxy_is_the_only_way_out(outside, no_naps):
    pool(outside)

    ask_time(outside)

    assert outside.exchange.log.clients() <= set(EXITS)
    assert Lease.objects.get().holder == "tests"
    assert Lease.objects.get().released_at is not None


def test_without_a_free_proxy_no_packet_leaves(outside, no_naps):
    with pytest.raises(leasing.NoProxyAvailableError):
        ask_time(outside)

    assert outside.exchange.log.entries() == []


def test_where_a_proxy_is_preferred_the_direct_way_is_taken_without_one(outside, no_naps):
    ask_time(outside, egress=Egress.PREFERRED)

    assert outside.exchange.log.clients() == {"127.0.0.1"}


def test_where_a_proxy_is_preferred_it_is_taken(outside, no_naps):
    pool(outside)

    ask_time(outside, egress=Egress.PREFERRED)

    assert outside.exchange.log.clients() <= set(EXITS)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault(FaultKind.STATUS, status=418, retry_after_s=600), "blocked"),
        (Fault(FaultKind.STATUS, status=429, retry_after_s=600), "rate_limited"),
        (Fault(FaultKind.STATUS, status=403), "blocked"),
        (Fault(FaultKind.CHALLENGE), "blocked"),
        (Fault(FaultKind.DISCONNECT), "refused"),
        (Fault(FaultKind.HANG), "timeout"),
    ],
    ids=lambda found: found if isinstance(found, str) else f"{found.kind}{found.status}",
)
def test_a_proxy_that_is_refused_is_given_back_and_another_taken_at_once(
    outside, no_naps, fault, outcome
):
    pool(outside, 0)
    world_fault = Fault(**{**_facts(fault), "client": EXITS[0]})
    outside.exchange.faults.add(world_fault)
    with asking.line_for(means(outside, timeout_s=0.5), holder="tests") as line:
        with pytest.raises(leasing.NoProxyAvailableError):
            line.ask(lambda venue: venue.time_ms())
        pool(outside, 1)
        line.ask(lambda venue: venue.time_ms())
        assert line.egress == EXITS[1]

    told = [one for one in outcomes() if one != "ok"]
    assert told[0] == outcome
    assert "127.0.0.1" not in outside.exchange.log.clients()


def _facts(fault):
    return {name: getattr(fault, name) for name in fault.__dataclass_fields__}


def test_a_proxy_banned_in_mid_cycle_is_replaced_and_nothing_is_lost(outside, no_naps):
    pool(outside)
    outside.exchange.faults.add(
        Fault(FaultKind.STATUS, status=418, retry_after_s=900, client=EXITS[0], after=5)
    )
    outside.exchange.faults.add(
        Fault(FaultKind.STATUS, status=418, retry_after_s=900, client=EXITS[1], after=5, times=1)
    )
    collector = doing.make_local(
        outside, egress="proxy_required", start_at="2026-01-05T00:00:00Z", request_limit=100
    )

    run = doing.collect(collector)
    if run.status == "queued":
        RateBudget.objects.update(blocked_until=None)
        run = doing.execute(_again(run))

    stored = list(Candle.objects.order_by("open_time").values_list("open_time", flat=True))
    assert stored[0] == doing.LISTED_MS
    assert stored == list(range(stored[0], stored[-1] + 1, 60_000))
    assert "127.0.0.1" not in outside.exchange.log.clients()
    assert "blocked" in outcomes()


def _again(run):
    type(run).objects.filter(pk=run.pk).update(next_try_at=None)
    run.refresh_from_db()
    return run


def test_a_redirect_is_not_followed_past_the_proxy(outside, no_naps):
    pool(outside)
    outside.exchange.faults.add(
        Fault(FaultKind.REDIRECT, location=f"{outside.judge.url}/judge?nonce=x")
    )

    with pytest.raises(wire.BadAnswerError):
        ask_time(outside)

    assert outside.judge.log.entries() == []


def test_a_lying_proxy_is_told_of_and_proves_nothing(no_naps):
    plan = sandbox.WorldPlan(proxies=[ProxySpec(kind=ProxyKind.LYING, exit_address=EXITS[0])])
    with sandbox.running(plan) as world:
        pool(world)

        with pytest.raises(wire.ExchangeError):
            ask_time(world)


def test_requests_of_one_address_share_a_budget_whatever_the_line(outside):
    slept: list[float] = []
    tools = Tools(sleep=slept.append)
    told = means(outside, egress=Egress.DIRECT, rate_requests=10, rate_per_s=1.0)

    for _ in range(3):
        with asking.line_for(told, holder="tests", tools=tools) as line:
            line.ask(lambda venue: venue.time_ms())

    assert sum(slept) > 0
    assert RateBudget.objects.get().egress == budgeting.DIRECT


def test_a_direct_429_is_waited_for_as_long_as_asked(outside, no_naps):
    outside.exchange.faults.add(Fault(FaultKind.STATUS, status=429, retry_after_s=7, times=1))

    ask_time(outside, egress=Egress.DIRECT)

    assert max(no_naps) >= 7
    until = RateBudget.objects.get().blocked_until
    assert until is not None
    assert until > timezone.now()


def test_a_long_ban_is_left_to_another_attempt(outside, no_naps):
    outside.exchange.faults.add(Fault(FaultKind.STATUS, status=418, retry_after_s=900))

    with pytest.raises(wire.BlockedError) as caught:
        ask_time(outside, egress=Egress.DIRECT)

    assert (caught.value.retry_after_s or 0) >= 890
    assert len(outside.exchange.log.entries()) == 1
    until = RateBudget.objects.get().blocked_until
    assert until is not None
    assert until > timezone.now() + timedelta(minutes=14)


def test_retries_wait_ever_longer(outside, no_naps):
    outside.exchange.faults.add(Fault(FaultKind.STATUS, status=500))

    with pytest.raises(wire.ExchangeError):
        ask_time(outside, egress=Egress.DIRECT)

    assert len(outside.exchange.log.entries()) == 4
    waits = [nap for nap in no_naps if nap >= 0.5]
    assert [round(wait / base) for wait, base in zip(waits, (1, 2, 4), strict=True)] == [1, 1, 1]


def test_an_address_inside_is_refused_where_private_networks_are_closed(outside, settings):
    settings.ALLOW_PRIVATE_NETWORKS = False

    with pytest.raises(ForbiddenAddressError):
        ask_time(outside, egress=Egress.DIRECT)

    assert outside.exchange.log.entries() == []


def test_a_wait_stops_where_the_run_is_asked_to():
    naps: list[float] = []

    def check():
        if len(naps) == 3:
            raise StopWorkError("canceled")

    with pytest.raises(StopWorkError):
        Tools(sleep=naps.append, check=check).wait(60)

    assert naps == [0.5] * 3


def test_nothing_tells_the_proxys_password(outside, no_naps):
    access = wire.Access("binance", "", 5, "http://user:secret@127.0.0.1:8080")

    assert "secret" not in repr(access)


@pytest.mark.parametrize(
    ("given", "spoken"),
    [
        ("socks5://u:p@h:1", "socks5h://u:p@h:1"),
        ("socks4://h:1", "socks4a://h:1"),
        ("http://h:1", "http://h:1"),
    ],
)
def test_names_are_resolved_by_the_proxy(given, spoken):
    assert asking._resolving_there(given) == spoken


def test_four_workers_keep_one_budget_against_an_exchange_that_counts(outside):
    outside.exchange.limit("binance", sandbox.RateLimit(units=30, per_s=0.5))
    told = means(outside, egress=Egress.DIRECT, rate_requests=20, rate_per_s=0.5)

    def work(_):
        try:
            with asking.line_for(told, holder="tests") as line:
                for _ in range(15):
                    line.ask(lambda venue: venue.time_ms())
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=4) as pool_of_workers:
        list(pool_of_workers.map(work, range(4)))

    count = outside.exchange.limiter.count("binance", "127.0.0.1")
    assert (count.requests, count.refused) == (60, 0)
    assert count.peak_units <= 30


PAGE = PageAsk("BTC/USDT", "BTCUSDT", "1m", MINUTE, doing.LISTED_MS, doing.LISTED_MS + MINUTE, 5, 0)


def test_each_request_takes_what_it_weighs_also_those_that_ccxt_makes_by_itself(outside, no_naps):
    rate = Rate(6000, 60, by_weight=True)
    told = means(outside, egress=Egress.DIRECT, exchange_rates=(rate,))

    taken = []
    with asking.line_for(told, holder="tests") as line:
        for call in (lambda venue: venue.markets(), lambda venue: venue.page(PAGE)):
            before = timezone.now().timestamp() * 1e6
            row = RateBudget.objects.filter(egress=budgeting.DIRECT).first()
            line.ask(call)
            busy_us = RateBudget.objects.get(egress=budgeting.DIRECT).next_slot_us
            taken.append(busy_us - max(before, row.next_slot_us if row else 0))

    weights = [found / rate.unit_us for found in taken]
    assert weights[0] >= 20
    assert weights[1] == pytest.approx(2, abs=0.5)


@pytest.fixture
def counting():
    """An exchange whose clock is the wall's, and which counts a weight of 100 a second."""
    plan = sandbox.WorldPlan(symbols=("BTC/USDT",), listed_ms=doing.LISTED_MS)
    with sandbox.running(plan) as world:
        world.exchange.limit("binance", sandbox.RateLimit(units=100, per_s=1, by_weight=True))
        yield world


def test_what_others_ask_from_the_address_is_left_to_them(counting):
    stranger = requests.Session()
    told = means(counting, egress=Egress.DIRECT, exchange_rates=(Rate(100, 1, by_weight=True),))

    with asking.line_for(told, holder="tests") as line:
        line.synchronise()
        for number in range(30):
            if number % 15 == 0:  # a program that knows nothing of our budget
                for _ in range(3):
                    stranger.get(f"{counting.exchange.url}/api/v3/exchangeInfo", timeout=5)
            line.ask(lambda venue: venue.page(PAGE))

    wanted = sandbox.Wanted(path="/api/v3/klines")
    assert {entry.status for entry in counting.exchange.log.entries(wanted)} == {200}


def test_processes_share_the_weight_that_the_exchange_told(counting):
    collector = doing.make_local(counting)
    doing.execute(discovering.ask(collector, by=SYSTEM, now=timezone.now()))
    told = Exchange.objects.get().rate_limits
    environment = {
        **os.environ,
        "TEST_NAME": str(connection.settings_dict["NAME"]),
        "DJANGO_SETTINGS_MODULE": "tests.markets.worker_settings",
    }
    command = [sys.executable, "-m", "tests.markets.asker", str(collector.pk), "40"]

    rivals = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(2)]
    codes = [rival.wait(timeout=100) for rival in rivals]

    count = counting.exchange.limiter.count("binance", "127.0.0.1")
    assert told == [{"units": 100.0, "per_s": 1.0, "by_weight": True}]
    assert codes == [0, 0]
    assert (count.requests, count.refused) == (81, 0)
    assert count.peak_units <= 100
