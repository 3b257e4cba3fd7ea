from datetime import timedelta

import pytest
from django.urls import reverse
from prometheus_client import CollectorRegistry, generate_latest

from project.core import metrics
from project.core.callers import SYSTEM
from project.core.models import Run, RunEvent
from proxies import checking, rounds
from proxies.adapters import checker
from proxies.adapters.probe import Finding
from tests.factories import make_run
from tests.proxies.factories import NOW, make_check, make_proxy

pytestmark = pytest.mark.django_db


def make_round(*, hours=0, proxies=None, **checks):
    """Make a round that ended: ``ok`` are latencies, the others numbers of verdicts.

    Args:
        hours: when, after ``NOW``.
        proxies: which are checked, in their order; none: new ones.
        checks: what is found of them.
    """
    at = NOW + timedelta(hours=hours)
    run = make_run(kind="proxies.validate", status="done", now=at)
    known = iter(proxies or [])
    for latency_ms in checks.pop("ok", ()):
        make_check(run=run, at=at, proxy=next(known, None) or make_proxy(), latency_ms=latency_ms)
    for verdict, count in checks.items():
        for _ in range(count):
            proxy = next(known, None) or make_proxy()
            make_check(run=run, at=at, proxy=proxy, verdict=verdict, latency_ms=None)
    return run


def kept(run, found):
    Run.objects.filter(pk=run.pk).update(checkpoint={"round": found})
    return found


def test_a_round_is_summed_up_by_its_checks():
    run = make_round(ok=[100, 100.1, 400, 20_000], timeout=3, refused=1)
    make_round(ok=[1])

    assert rounds.sum_up(run) == {
        "checked": 8,
        "ok": 4,
        "success_ratio": 0.5,
        "verdicts": {"ok": 4, "timeout": 3, "refused": 1},
        "latency_p50_ms": 400,
        "latency_p95_ms": 20_000,
        "histogram": [1, 1, 1, 0, 0, 0, 0, 1],
        "compared": 0,
        "success_ratio_delta": None,
        "latency_p50_ms_delta": None,
        "latency_p95_ms_delta": None,
        "histogram_delta": [None] * 8,
    }


def test_a_round_of_the_same_proxies_is_compared_with_the_round_before():
    proxies = [make_proxy() for _ in range(4)]
    make_round(proxies=proxies, ok=[50, 50, 50], timeout=1)

    found = rounds.sum_up(make_round(hours=1, proxies=proxies, ok=[50, 400], timeout=2))

    assert (found["compared"], found["success_ratio"]) == (4, 0.5)
    assert found["success_ratio_delta"] == -0.25
    assert found["latency_p50_ms_delta"] == 350
    assert found["histogram_delta"][:3] == [-0.5, 0, 0.5]


def test_which_proxies_are_due_is_no_change():
    good, bad = [make_proxy() for _ in range(3)], [make_proxy() for _ in range(3)]
    make_round(proxies=[*good, *bad], ok=[50] * 3, timeout=3)

    best = rounds.sum_up(make_round(hours=1, proxies=good, ok=[50] * 3))
    worst = rounds.sum_up(make_round(hours=2, proxies=bad, timeout=3))
    new = rounds.sum_up(make_round(hours=3, proxies=[good[0]], ok=[50], refused=9))

    assert [one["success_ratio"] for one in (best, worst, new)] == [1.0, 0.0, 0.1]
    assert [one["success_ratio_delta"] for one in (best, worst, new)] == [0.0, 0.0, 0.0]
    assert [one["compared"] for one in (best, worst, new)] == [3, 3, 1]


def test_each_proxy_is_compared_with_its_own_last_check():
    first, second = make_proxy(), make_proxy()
    make_round(proxies=[first], timeout=1)
    make_round(hours=1, proxies=[second], ok=[100])
    make_round(hours=2, proxies=[first], ok=[100])

    found = rounds.sum_up(make_round(hours=3, proxies=[second, first], ok=[300], timeout=1))

    assert (found["compared"], found["success_ratio_delta"]) == (2, -0.5)
    assert found["latency_p50_ms_delta"] == 200


def test_checks_older_than_are_kept_whole_are_no_witnesses(settings):
    settings.PROXY_FAILED_CHECK_DAYS = 1
    proxy = make_proxy()
    make_round(proxies=[proxy], ok=[50])

    soon = rounds.sum_up(make_round(hours=24, proxies=[proxy], timeout=1))
    late = rounds.sum_up(make_round(hours=24 + 25, proxies=[proxy], timeout=1))

    assert (soon["compared"], late["compared"]) == (1, 0)


def test_a_round_without_a_good_check_has_no_latency():
    found = rounds.sum_up(make_round(timeout=2))

    assert (found["success_ratio"], found["latency_p95_ms"]) == (0, None)
    assert rounds.shares_of(found) == [None] * 8


@pytest.mark.parametrize("rivals", [1, 30])
def test_a_round_is_read_in_one_query(rivals, django_assert_num_queries):
    run = make_round(ok=[50] * rivals)

    with django_assert_num_queries(1):
        rounds.sum_up(run)


def test_shares_add_up_to_one_whatever_the_counts():
    run = make_round(ok=[50] * 16 + [200, 2000])

    found = rounds.sum_up(run)

    assert [now for _, now, _ in rounds._cumulated(found)][-1] == 1.0


def test_rounds_that_checked_nothing_are_passed_over():
    known = make_round(ok=[5])
    kept(known, {"checked": 1, "ok": 1})
    kept(make_round(hours=1), {"checked": 0})
    make_round(hours=2)

    assert rounds.latest() == {"checked": 1, "ok": 1}


def test_metrics_tell_the_last_round_and_its_change():
    proxies = [make_proxy() for _ in range(3)]
    first = make_round(proxies=proxies, ok=[50], timeout=2)
    second = make_round(hours=1, proxies=proxies, ok=[50, 400, 400])
    for one in (first, second):
        kept(one, rounds.sum_up(one))
    registry = CollectorRegistry()
    metrics.add_to(registry)

    lines = generate_latest(registry).decode().splitlines()

    assert "proxy_validation_round_success_ratio 1.0" in lines
    assert "proxy_validation_round_success_ratio_delta 0.6667" in lines
    assert 'proxy_validation_round_latency_share{le="0.1"} 0.3333' in lines
    assert 'proxy_validation_round_latency_share{le="+Inf"} 1.0' in lines
    assert 'proxy_validation_round_latency_share_delta{le="0.1"} -0.667' in lines


@pytest.mark.django_db(transaction=True)
def test_a_round_concludes_with_its_result_on_its_page(settings, do, monkeypatch, admin_client):
    settings.JUDGE_URLS = ["http://judge.example/judge"]
    good, bad = make_proxy(), make_proxy()

    async def check_all(subjects, judges, limits):
        yield checker.Batch(
            [
                Finding(good.pk, "ok", latency_ms=80.0, connect_ms=5.0, exit_ip="8.8.8.8"),
                Finding(bad.pk, "timeout"),
            ],
            has_judges=True,
        )

    monkeypatch.setattr(checker, "check_all", check_all)
    run = checking.submit(checking.Selection(), by=SYSTEM, now=NOW)

    run = do(run, checking.run)

    good.refresh_from_db()
    assert (run.status, run.checkpoint["round"]["success_ratio"]) == ("done", 0.5)
    assert RunEvent.objects.get(run=run, event="round_result").data["checked"] == 2
    assert (good.country, good.exit_ip) == ("US", "8.8.8.8")
    page = admin_client.get(reverse("admin:core_run_change", args=[run.pk])).content.decode()
    assert "50.0 %" in page
    assert "Latency of good checks" in page
