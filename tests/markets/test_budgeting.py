"""One rate budget over all processes and threads."""

import contextlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from markets import budgeting
from markets.adapters.wire import Used
from markets.budgeting import BudgetBlockedError, Claim
from markets.models import RateBudget
from markets.rates import Rate
from tests.markets.factories import NOW

pytestmark = pytest.mark.django_db


def reserve(*rates, now=NOW, egress="direct", **facts):
    return budgeting.reserve(Claim("binance", egress, rates, **facts), now=now)


def spent(used, rate, *, per_s=60.0, now=NOW, skew_ms=0):
    return budgeting.heard([Used(used, per_s)], (rate,), now=now, skew_ms=skew_ms)


def test_a_burst_leaves_at_once_and_the_rest_is_spread():
    rate = Rate(100, 10.0)

    waits = [reserve(rate) for _ in range(100)]

    assert waits[:5] == [0.0] * 5
    assert waits[-1] == pytest.approx(95 * rate.unit_us / 1e6)
    assert waits == sorted(waits)


def test_a_rest_gives_the_burst_back():
    rate = Rate(100, 10.0)
    for _ in range(50):
        reserve(rate)

    later = NOW + timedelta(seconds=60)

    assert [reserve(rate, now=later) for _ in range(5)] == [0.0] * 5
    assert reserve(rate, now=later) > 0


def test_addresses_have_budgets_of_their_own():
    rate = Rate(1, 10.0)
    reserve(rate)

    assert reserve(rate, egress="203.0.113.9") == 0.0
    assert reserve(rate) == pytest.approx(10.5)


def test_a_heavy_request_takes_as_much_as_it_weighs():
    weight = Rate(6000, 60, by_weight=True)
    reserve(weight, weight=20)
    reserve(weight, weight=2)

    taken_us = RateBudget.objects.get().next_slot_us - NOW.timestamp() * 1e6

    assert taken_us == pytest.approx(22 * weight.unit_us, abs=2)


def test_of_several_rates_the_slowest_holds():
    own, told = Rate(1200, 60), Rate(6000, 60, by_weight=True)

    light = [reserve(own, told, weight=2, egress="light") for _ in range(100)]
    heavy = [reserve(own, told, weight=20, egress="heavy") for _ in range(100)]

    assert light[-1] == pytest.approx(40 * own.unit_us / 1e6, abs=1e-3)
    assert heavy[-1] == pytest.approx((100 * 20 - 300) * told.unit_us / 1e6, abs=1e-3)


def test_what_others_use_of_the_window_is_left_out():
    # 500 of the limit are left, 20 of them kept free, and half of the window
    rate, now = Rate(500, 60, by_weight=True), NOW + timedelta(seconds=30)

    waits = []
    with contextlib.suppress(
        BudgetBlockedError
    ):  # once the next window would have to be waited for
        while True:
            waits.append(reserve(rate, weight=2, now=now, heard=spent(240, rate, now=now)))

    assert len(waits) * 2 == pytest.approx(500 - 20 - 240, abs=2)
    row = RateBudget.objects.get()
    assert (row.used, row.used_limit, row.used_at) == (240, 500, now)


def test_a_window_that_is_used_up_rests_until_the_next_by_the_exchanges_clock():
    rate = Rate(6000, 60, by_weight=True)
    skew_ms = -20_000  # it is 20 s behind: 20 s are left of its minute when ours begins

    wait = reserve(rate, weight=2, heard=spent(6100, rate, skew_ms=skew_ms))

    assert wait == pytest.approx(20 + 2 * rate.unit_us / 1e6)


def test_a_count_below_our_own_gives_nothing_back():
    rate = Rate(6000, 60, by_weight=True)
    for _ in range(400):
        reserve(rate, weight=2)
    before = RateBudget.objects.get().next_slot_us

    reserve(rate, weight=2, heard=spent(4, rate))

    assert RateBudget.objects.get().next_slot_us == before + int(2 * rate.unit_us)


def test_a_count_of_another_window_says_nothing():
    assert spent(9000, Rate(6000, 60, by_weight=True), per_s=86_400.0) is None
    assert spent(9000, Rate(6000, 60)) is None


def test_a_full_window_is_told_to_others_though_no_request_leaves():
    rate = Rate(6000, 60, by_weight=True)
    with pytest.raises(BudgetBlockedError) as caught:
        reserve(rate, heard=spent(6000, rate))

    with pytest.raises(BudgetBlockedError):
        reserve(rate)

    assert caught.value.retry_after_s == pytest.approx(60, abs=0.1)
    assert RateBudget.objects.get().used == 6000


def test_a_wait_that_is_too_long_is_put_off():
    rate = Rate(1, 60.0)
    reserve(rate)

    with pytest.raises(BudgetBlockedError) as caught:
        reserve(rate)

    assert caught.value.retry_after_s == pytest.approx(63.0)


def test_a_ban_holds_for_everybody_and_is_told():
    budgeting.block("binance", "direct", for_s=120, reason="banned", now=NOW)

    with pytest.raises(
        BudgetBlockedError, match=r"until 2026-03-01T12:02:00\.000Z: banned"
    ) as caught:
        reserve(Rate(100, 1))

    assert caught.value.retry_after_s == 120
    assert reserve(Rate(100, 1), now=NOW + timedelta(seconds=121)) == 0.0


def test_a_short_block_is_waited_for():
    budgeting.block("binance", "direct", for_s=3, reason="429", now=NOW)

    assert reserve(Rate(100, 1)) == pytest.approx(3.0)


def test_a_shorter_block_does_not_end_a_longer_one():
    budgeting.block("binance", "direct", for_s=120, reason="ban", now=NOW)
    budgeting.block("binance", "direct", for_s=3, reason="429", now=NOW)

    row = RateBudget.objects.get()
    assert (row.blocked_until, row.block_reason) == (NOW + timedelta(seconds=120), "ban")


def test_failures_in_a_row_break_the_circuit_ever_longer_and_a_success_closes_it():
    for _ in range(budgeting.BREAKS_AFTER - 1):
        budgeting.failed("binance", "direct", reason="down", now=NOW)
    assert RateBudget.objects.get().blocked_until is None

    budgeting.failed("binance", "direct", reason="down", now=NOW)
    assert RateBudget.objects.get().blocked_until == NOW + timedelta(seconds=10)
    budgeting.failed("binance", "direct", reason="down", now=NOW)
    assert RateBudget.objects.get().blocked_until == NOW + timedelta(seconds=20)

    budgeting.succeeded("binance", "direct")
    assert RateBudget.objects.get().failures == 0


def test_database_keeps_one_budget_per_exchange_and_address():
    RateBudget.objects.create(exchange="binance", egress="direct")

    with pytest.raises(IntegrityError), transaction.atomic():
        RateBudget.objects.create(exchange="binance", egress="direct")


@pytest.mark.django_db(transaction=True)
def test_rivals_never_get_the_same_slot():
    rate = Rate(1000, 10.0)

    def work(_):
        try:
            return [reserve(rate) for _ in range(10)]
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=8) as pool:
        waits = sorted(wait for found in pool.map(work, range(8)) for wait in found)

    assert len(waits) == 80
    steady = waits[int(rate.burst) - 1 :]
    steps = [b - a for a, b in itertools.pairwise(steady)]
    assert min(steps) == pytest.approx(rate.unit_us / 1e6, rel=1e-3)
