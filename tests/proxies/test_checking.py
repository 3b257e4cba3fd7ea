import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import delivering
from accounts.models import WebhookDelivery
from project import sandbox
from project.core import claims, runs, sweeping, working
from project.core.callers import SYSTEM
from project.core.errors import TransientError
from project.core.models import Run
from project.sandbox import Fault, FaultKind, ProxyKind, ProxySpec
from proxies import checking, kinds, lending, metrics
from proxies.adapters.probe import Finding, Limits
from proxies.checking import Selection, ValidationRunningError
from proxies.choices import Pool, ProxyState, Verdict
from proxies.identity import endpoint_key
from proxies.lending import Ask
from proxies.models import Check, LeaseSlot, Proxy
from tests.accounts.receiver import receiving
from tests.factories import make_webhook
from tests.proxies.factories import NOW, make_pool_policy, make_proxy

SPECS = [
    ProxySpec(exit_address="127.0.0.11"),
    ProxySpec(kind=ProxyKind.REFUSED),
    ProxySpec(sandbox.Protocol.SOCKS5, username="hans", password="ge@heim:1"),
]


@pytest.fixture(scope="module")
def world():
    with sandbox.running(sandbox.WorldPlan(proxies=SPECS, symbols=())) as found:
        yield found


@pytest.fixture
def pool(world, private_networks, settings, monkeypatch, transactional_db):
    """Return the sandbox's proxies as unproven ones of ours."""
    monkeypatch.setenv("SSL_CERT_FILE", str(world.ca_bundle))
    monkeypatch.setattr(checking, "limits", lambda: Limits(connect_s=1, total_s=2))
    world.judge.faults.clear()
    settings.JUDGE_URLS = [world.judge.judge_url]
    return [
        make_proxy(
            scheme=each.spec.protocol.value,
            host="127.0.0.1",
            port=each.port,
            username=each.spec.username or "",
            password=each.spec.password or "",
            state="unproven",
            score=None,
            slots=0,
        )
        for each in world.proxies
    ]


def submit(**chosen):
    return checking.submit(Selection(**chosen), by=SYSTEM, now=timezone.now())


def test_a_round_proves_who_lives_and_who_does_not(pool, do):
    run = do(submit(), checking.run)

    good, dead, socks = pool
    for each in pool:
        each.refresh_from_db()
    assert (run.status, run.counts["checked"], run.counts["ok"]) == ("done", 3, 2)
    assert (good.state, good.pool, good.exit_ip) == ("healthy", "warm", "127.0.0.11")
    assert (socks.state, socks.anonymity, dead.state) == ("healthy", "elite", "failing")
    assert Check.objects.filter(run=run).count() == 3
    lent = lending.acquire(Ask(holder="tests"), by=SYSTEM, now=timezone.now())
    assert lent.proxy_id in {good.pk, socks.pk}


def test_a_run_tells_no_password(pool, do):
    run = do(submit(), checking.run)

    told = [run.payload, run.counts, run.checkpoint, *run.events.values_list("data", flat=True)]
    told += list(Check.objects.values_list("detail", flat=True))
    assert "heim" not in str(told)


def test_a_second_round_is_refused_and_names_the_first(pool):
    run = submit()

    with pytest.raises(ValidationRunningError) as caught:
        submit()

    assert caught.value.extra == {"run_id": str(run.pk)}


def test_a_round_by_beat_and_one_by_hand_exclude_each_other(pool):
    scheduled = runs.Ask(kinds.VALIDATE.name, schedule="Validate proxies")
    runs.submit(scheduled, by=SYSTEM, now=timezone.now())

    with pytest.raises(ValidationRunningError):
        submit()


def test_a_round_by_beat_checks_only_what_is_due(pool, do):
    later = timezone.now() + timedelta(hours=1)
    Proxy.objects.exclude(pk=pool[0].pk).update(check_due_at=later)

    do(runs.submit(runs.Ask(kinds.VALIDATE.name), by=SYSTEM, now=timezone.now()), checking.run)

    assert list(Check.objects.values_list("proxy", flat=True)) == [pool[0].pk]


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [({"limit": 1}, [0]), ({"pool": "warm"}, [2]), ({}, [0, 1, 2])],
)
def test_a_round_checks_what_it_is_asked_for(pool, do, chosen, numbers):
    Proxy.objects.filter(pk=pool[2].pk).update(state="healthy", pool="warm", last_checked_at=NOW)
    Proxy.objects.filter(pk=pool[1].pk).update(last_checked_at=NOW - timedelta(hours=1))

    do(submit(**chosen), checking.run)

    found = set(Check.objects.values_list("proxy", flat=True))
    assert found == {pool[number].pk for number in numbers}


def test_a_round_of_named_proxies_checks_retired_ones_too(pool, do):
    Proxy.objects.filter(pk=pool[0].pk).update(state="retired", failures_in_row=12)

    do(submit(ids=[pool[0].pk]), checking.run)

    pool[0].refresh_from_db()
    assert (pool[0].state, pool[0].failures_in_row) == ("healthy", 0)


def test_whoever_goes_on_with_a_round_checks_each_proxy_once(pool, do, monkeypatch):
    run = submit()
    real = checking.apply

    def killed(findings, **facts):
        real(findings[:1], **facts)
        raise KeyboardInterrupt

    monkeypatch.setattr(checking, "apply", killed)
    with pytest.raises(KeyboardInterrupt):
        working.execute(str(run.pk), checking.run, kind=run.kind)
    monkeypatch.setattr(checking, "apply", real)
    assert Check.objects.count() == 1
    Run.objects.filter(pk=run.pk).update(claimed_until=timezone.now())
    sweeping.free(Run.objects.get(pk=run.pk), now=timezone.now())

    run = do(run, checking.run)

    assert (run.status, run.attempt, run.counts["checked"]) == ("done", 2, 3)
    assert Check.objects.filter(run=run).count() == 3


def test_judges_that_are_down_blame_nobody(pool, do, world):
    world.judge.faults.add(Fault(FaultKind.STATUS, status=500))

    run = do(submit(), checking.run)

    assert run.status == "partial"
    assert not Check.objects.exists()
    assert set(Proxy.objects.values_list("state", flat=True)) == {"unproven"}


def test_without_a_judge_the_round_fails_with_its_reason(pool, do, settings):
    settings.JUDGE_URLS = []
    settings.ALLOW_PRIVATE_NETWORKS = False

    run = do(submit(), checking.run)

    assert (run.status, run.error_type) == ("failed", "no_judge")


def test_an_empty_pool_needs_no_judge(transactional_db, do, settings):
    assert do(submit(), checking.run).status == "done"


def apply(proxy, verdict=Verdict.OK, at=NOW, **facts):
    usual = {"latency_ms": 100.0, "exit_ip": "203.0.113.9"} if verdict == Verdict.OK else {}
    checking.apply([Finding(proxy.pk, verdict, **{**usual, **facts})], run_id=None, now=at)
    proxy.refresh_from_db()
    return proxy


@pytest.mark.django_db
def test_one_failure_of_a_healthy_proxy_is_forgiven():
    proxy = make_proxy(good_weight=3, total_weight=3, evidence_at=NOW, pool="hot", last_ok_at=NOW)

    apply(proxy, Verdict.TIMEOUT)

    assert (proxy.state, proxy.pool, proxy.failures_in_row) == ("healthy", "hot", 1)
    assert round(proxy.score or 0) == 70
    assert proxy.check_due_at == NOW + checking.FIRST_RECHECK


@pytest.mark.django_db
def test_a_second_failure_in_a_row_takes_a_proxy_out():
    proxy = apply(make_proxy(), Verdict.TIMEOUT)

    apply(proxy, Verdict.REFUSED, at=NOW + timedelta(minutes=1))

    assert (proxy.state, proxy.pool) == ("failing", "")
    with pytest.raises(lending.NoProxyAvailableError):
        lending.acquire(Ask(holder="tests"), by=SYSTEM, now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("verdict", [Verdict.INTERCEPTED, Verdict.MISMATCH, Verdict.FORBIDDEN])
def test_a_proxy_that_cheats_is_out_at_once(verdict):
    assert apply(make_proxy(), verdict).state == ProxyState.FAILING


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("last_ok_at", "failures", "state"),
    [(None, 3, "failing"), (None, 4, "retired"), (NOW, 10, "failing"), (NOW, 11, "retired")],
)
def test_a_dead_proxy_retires(last_ok_at, failures, state):
    proxy = make_proxy(state="failing", last_ok_at=last_ok_at, failures_in_row=failures)

    apply(proxy, Verdict.TIMEOUT)

    assert (proxy.state, proxy.retired_at is not None) == (state, state == "retired")


@pytest.mark.django_db
def test_waits_between_checks_of_a_failing_proxy_double():
    proxy = make_proxy(state="failing", last_ok_at=NOW)

    waits = [apply(proxy, Verdict.TIMEOUT).check_due_at - NOW for _ in range(3)]

    assert waits == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]


@pytest.mark.django_db
def test_a_proxy_that_returns_keeps_its_history():
    proxy = make_proxy(
        state="failing", good_weight=1, total_weight=4, evidence_at=NOW, failures_in_row=3
    )

    apply(proxy)

    assert (proxy.state, proxy.total_weight, round(proxy.score or 0)) == ("healthy", 5, 42)
    assert proxy.pool == Pool.COLD


@pytest.mark.django_db
def test_a_good_check_makes_the_slots_and_says_when_the_next_is_due():
    make_pool_policy(pool="warm", max_leases=2)
    proxy = apply(make_proxy(state="unproven", slots=0, score=None))

    assert proxy.pool == "warm"
    assert LeaseSlot.objects.filter(exclusive_key=proxy.exclusive_key).count() == 2
    assert proxy.check_due_at == NOW + timedelta(minutes=10)


@pytest.mark.django_db
def test_exclusivity_by_exit_address_is_taken_on_once_nobody_holds_the_proxy():
    for pool in ("hot", "warm"):
        make_pool_policy(pool=pool, exclusive_by="exit_address")
    proxy = make_proxy()
    lending.acquire(Ask(holder="tests"), by=SYSTEM, now=NOW)

    held = apply(proxy).exclusive_key
    free = apply(proxy, at=NOW + timedelta(minutes=5)).exclusive_key

    assert (held, free) == (endpoint_key(proxy.identity), "exit:203.0.113.9")
    lent = lending.acquire(Ask(holder="b"), by=SYSTEM, now=NOW + timedelta(minutes=5))
    assert lent.proxy_id == proxy.pk


@pytest.mark.django_db
def test_checks_are_counted():
    proxy = make_proxy()
    counter = metrics.CHECKS.labels("timeout")._value
    before = counter.get()

    apply(proxy, Verdict.TIMEOUT)

    assert counter.get() == before + 1


@pytest.mark.django_db
def test_apply_costs_per_proxy_one_query_and_nothing_else(django_assert_num_queries):
    findings = [Finding(make_proxy().pk, Verdict.TIMEOUT) for _ in range(4)]

    with django_assert_num_queries(6):
        checking.apply(findings[:1], run_id=None, now=NOW)
    with django_assert_num_queries(8):
        checking.apply(findings[1:], run_id=None, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_lets_the_round_be_tried_again(pool, do, monkeypatch):
    def away(*args, **facts):
        raise TransientError("away")

    monkeypatch.setattr(checking, "apply", away)

    run = do(submit(), checking.run)

    assert (run.status, run.next_try_at is not None) == ("queued", True)
    assert claims.keeper.held() == 0


def test_round_after_which_the_pool_is_low_reaches_a_webhook_once(pool, do, settings):
    settings.PROXY_POOL_LOW = 2
    alive, dead, _ = pool
    Proxy.objects.exclude(pk__in=[alive.pk, dead.pk]).delete()
    Proxy.objects.update(state=ProxyState.HEALTHY, score=50, pool=Pool.WARM)
    with receiving() as receiver:
        make_webhook(url=receiver.url, events=["pool.low"])
        do(submit(), checking.run)
        do(submit(), checking.run)
        now = timezone.now()
        delivering.deliver(list(WebhookDelivery.objects.due(at=now)), now=now)

    ((_, body),) = receiver.came
    said = json.loads(body)
    assert (said["event"], said["data"]) == ("pool.low", {"healthy": 1, "before": 2, "low": 2})
