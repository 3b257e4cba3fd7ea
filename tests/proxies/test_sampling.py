from datetime import timedelta

import pytest

from project.core import runs
from project.core.callers import SYSTEM
from proxies import kinds, sampling
from proxies.choices import Grain
from proxies.models import PoolSnapshot, SourceFetch
from tests.proxies.factories import (
    NOW,
    make_lease,
    make_pool_snapshot,
    make_proxy,
    make_source_fetch,
)

pytestmark = pytest.mark.django_db
SECOND = int(NOW.timestamp())


def test_a_minute_tells_sizes_scores_and_latencies():
    for number in range(1, 101):
        make_proxy(pool="hot", score=float(number - 1), latency_ms=10.0 * number)
    make_proxy(pool="cold", score=None, latency_ms=None)
    for state in ("unproven", "failing", "failing", "retired"):
        make_proxy(state=state)
    make_lease(proxy=make_proxy(pool="warm", latency_ms=None, score=50))

    sampling.take(now=NOW)

    rows = {row.pool: row for row in PoolSnapshot.objects.all()}
    assert {row.second for row in rows.values()} == {SECOND}
    assert {pool: row.size for pool, row in rows.items()} == {
        "hot": 100,
        "warm": 1,
        "cold": 1,
        "": 102,
    }
    hot = rows["hot"]
    assert (hot.score_p10, hot.score_p50, hot.score_p90) == (10, 50, 90)
    assert (hot.latency_p50, hot.latency_p95, hot.latency_p99) == (510, 960, 1000)
    assert (rows["cold"].score_p50, rows["cold"].latency_p99) == (None, None)
    assert (rows["warm"].leases, rows[""].leases) == (1, 1)
    assert (rows[""].unproven, rows[""].failing, rows[""].retired) == (1, 2, 1)


def test_a_minute_is_told_once():
    sampling.take(now=NOW)
    make_proxy(pool="hot")
    sampling.take(now=NOW + timedelta(seconds=59))
    sampling.take(now=NOW + timedelta(seconds=60))

    hot = PoolSnapshot.objects.filter(pool="hot").order_by("second")
    assert [(row.second - SECOND, row.size) for row in hot] == [(0, 0), (60, 1)]


def test_a_pool_of_any_size_costs_the_same_queries(django_assert_num_queries):
    make_proxy()
    with django_assert_num_queries(3):
        sampling.look(now=NOW)
    for _ in range(5):
        make_proxy(latency_ms=5)
    with django_assert_num_queries(3):
        sampling.look(now=NOW)


def test_old_minutes_become_averages_and_the_oldest_go():
    old = SECOND - 3 * 86_400
    for minute in range(20):
        make_pool_snapshot(second=old + 60 * minute, size=minute, latency_p50=None)
    make_pool_snapshot(second=SECOND - 60)
    make_pool_snapshot(second=SECOND - 400 * 86_400, grain_s=Grain.HOUR)
    weeks = SECOND - 30 * 86_400
    for step in range(6):
        make_pool_snapshot(second=weeks + 600 * step, grain_s=Grain.TEN_MINUTES, size=step)

    found = sampling.thin(now=NOW)

    assert found == {"thinned": 26, "made": 3, "forgotten": 1}
    rows = PoolSnapshot.objects.order_by("second").values_list("grain_s", "size")
    assert list(rows) == [(3600, 2.5), (600, 4.5), (600, 14.5), (60, 1)]
    assert PoolSnapshot.objects.filter(grain_s=600)[0].latency_p50 is None
    assert sampling.thin(now=NOW)["thinned"] == 0


def test_what_fetches_came_to_is_forgotten_after_a_month():
    make_source_fetch(at=NOW - timedelta(days=31))
    kept = make_source_fetch(at=NOW - timedelta(days=29))

    sampling.thin(now=NOW)

    assert list(SourceFetch.objects.all()) == [kept]


@pytest.mark.django_db(transaction=True)
def test_the_run_remembers_and_thins(do):
    run = do(runs.submit(runs.Ask(kind=kinds.SNAPSHOT.name), by=SYSTEM, now=NOW), sampling.run)

    assert run.status == "done"
    assert PoolSnapshot.objects.count() == 4
