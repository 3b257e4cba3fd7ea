from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest

from project.core import metrics
from project.core.callers import SYSTEM
from proxies import lending, overview
from proxies.lending import Ask
from tests.factories import make_run
from tests.proxies.factories import NOW, make_lease, make_mending, make_proxy, make_proxy_source

pytestmark = pytest.mark.django_db


def codes(now=NOW):
    return {issue.code for issue in overview.current_issues(now)}


def test_stats_of_an_empty_pool():
    assert overview.stats(now=NOW) == {
        "pools": {"hot": 0, "warm": 0, "cold": 0},
        "states": {"unproven": 0, "healthy": 0, "failing": 0, "retired": 0, "blocked": 0},
        "leases_active": 0,
        "latency_ms": {"p50": None, "p95": None},
    }


def test_stats_count_pools_states_leases_and_latencies():
    for number in range(20):
        make_proxy(pool="hot", latency_ms=10.0 * number)
    make_proxy(state="failing")
    make_lease()
    make_lease(acquired_at=NOW - timedelta(1), expires_at=NOW)

    found = overview.stats(now=NOW)

    assert (found["pools"]["hot"], found["pools"]["warm"]) == (20, 2)
    assert (found["states"]["healthy"], found["states"]["failing"]) == (22, 1)
    assert found["leases_active"] == 1
    assert found["latency_ms"] == {"p50": 100.0, "p95": 190.0}


def test_figures_lead_to_the_lists_behind_them(admin_client):
    make_proxy()

    found = {figure.name: figure for figure in overview.key_figures(NOW)}

    assert found["proxies_healthy"].value == "1"
    assert all(admin_client.get(figure.url).status_code == 200 for figure in found.values())


def test_an_installation_without_proxies_has_no_issue(settings):
    settings.JUDGE_URLS = []

    assert codes() == set()


@pytest.mark.parametrize("urls", [[], ["nonsense"]])
def test_a_pool_that_can_not_be_checked_is_an_issue(settings, urls):
    settings.JUDGE_URLS, settings.PUBLIC_URL = urls, ""
    make_proxy()

    assert codes() == {"no_judge"}


def test_a_pool_of_which_nothing_works_is_an_issue(settings):
    settings.JUDGE_URLS = ["http://judge.example/judge"]
    make_proxy(state="failing")

    assert codes() == {"proxy_pool_empty"}


def test_judges_that_do_not_answer_are_an_issue(settings):
    settings.JUDGE_URLS = ["http://judge.example/judge"]
    make_proxy()
    make_run(kind="proxies.validate", status="partial")

    assert codes() == {"judges_down"}


def test_sources_that_fail_time_after_time_are_an_issue():
    make_proxy_source(failures_in_row=3, name="bad one")
    make_proxy_source(failures_in_row=9, is_enabled=False)

    found = overview.current_issues(NOW)

    assert [issue.code for issue in found] == ["proxy_sources_failing"]
    assert "bad one" in found[0].text


def test_issues_cost_the_same_queries_for_one_proxy_and_for_three(
    settings, django_assert_num_queries
):
    settings.JUDGE_URLS = ["http://judge.example/judge"]
    make_proxy()
    with django_assert_num_queries(4):
        overview.current_issues(NOW)
    make_proxy()
    make_proxy()
    with django_assert_num_queries(4):
        overview.current_issues(NOW)


def test_sizes_are_scraped_from_the_database():
    now = timezone.now()
    make_proxy(pool="hot")
    make_proxy(pool="hot")
    earlier = now - timedelta(seconds=10)
    lending.acquire(Ask(holder="tests", ttl_s=60), by=SYSTEM, now=earlier)
    registry = CollectorRegistry()
    metrics.add_to(registry)

    lines = generate_latest(registry).decode().splitlines()

    assert 'proxy_pool_size{pool="hot"} 2.0' in lines
    assert 'proxy_leases_active{pool="hot"} 1.0' in lines
    oldest = next(line for line in lines if line.startswith("proxy_lease_oldest_seconds"))
    assert 10 <= float(oldest.split()[1]) < 60


def test_leases_that_were_mended_are_an_issue_for_a_day():
    make_mending(at=NOW - timedelta(hours=23))

    assert "leases_mended" in codes()
    assert "leases_mended" not in codes(NOW + timedelta(hours=2))
