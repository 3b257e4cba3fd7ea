"""One rate budget over all processes and threads."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from markets import budgeting
from markets.budgeting import BudgetBlockedError, Rate
from markets.models import RateBudget
from tests.markets.factories import NOW

pytestmark = pytest.mark.django_db


def reserve(rate, now=NOW, egress="direct"):
    return budgeting.reserve("binance", egress, rate, now=now)


@given(requests=st.integers(1, 5000), per_s=st.floats(0.5, 3600))
def test_no_window_holds_more_than_the_rate_allows(requests, per_s):
    rate = Rate(requests, per_s)

    # the most that can leave within one window: a rested burst, then the steady stream
    in_window = rate.burst + int(per_s * 1e6 - 1) // rate.step_us

    assert in_window <= requests


def test_a_burst_leaves_at_once_and_the_rest_is_spread():
    rate = Rate(100, 10.0)

    waits = [reserve(rate) for _ in range(100)]

    assert waits[: rate.burst] == [0.0] * 5
    assert waits[-1] == pytest.approx(95 * rate.step_us / 1e6)
    assert waits == sorted(waits)


def test_a_rest_gives_the_burst_back():
    rate = Rate(100, 10.0)
    for _ in range(50):
        reserve(rate)

    later = NOW + timedelta(seconds=60)

    assert [reserve(rate, later) for _ in range(5)] == [0.0] * 5
    assert reserve(rate, later) > 0


def test_addresses_have_budgets_of_their_own():
    rate = Rate(1, 10.0)
    reserve(rate)

    assert reserve(rate, egress="203.0.113.9") == 0.0
    assert reserve(rate) == pytest.approx(10.5)


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
    assert reserve(Rate(100, 1), NOW + timedelta(seconds=121)) == 0.0


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
    steady = waits[rate.burst - 1 :]
    steps = [b - a for a, b in itertools.pairwise(steady)]
    assert min(steps) == pytest.approx(rate.step_us / 1e6, rel=1e-3)
