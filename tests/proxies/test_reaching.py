"""Rounds that ask whether proxies reach targets, with real proxies and sites on loopback."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY

from project import sandbox
from project.core import runs
from project.core.callers import SYSTEM
from project.core.models import RunEvent
from project.sandbox import Fault, FaultKind, ProxyKind, ProxySpec
from proxies import checking, explaining, lending, reaching, rounds
from proxies.adapters import visiting
from proxies.adapters.probe import Limits
from proxies.adapters.visiting import Seen
from proxies.checking import Selection
from proxies.lending import Ask
from proxies.models import CheckTarget, Proxy, TargetState
from proxies.reaching import Site
from tests.proxies.factories import NOW, make_check_target, make_proxy, make_target_state

SPECS = [
    ProxySpec(exit_address="127.0.0.11"),
    ProxySpec(kind=ProxyKind.BANNED, exit_address="127.0.0.12"),
    ProxySpec(sandbox.Protocol.SOCKS5, exit_address="127.0.0.13", username="u", password="p@:"),
]
SITE = Site("binance.com", ("https://api.binance.com/",), timedelta(minutes=30))


@pytest.fixture(scope="module")
def world():
    with sandbox.running(sandbox.WorldPlan(proxies=SPECS)) as found:
        yield found


@pytest.fixture
def pool(world, private_networks, settings, monkeypatch, transactional_db):
    """Return the sandbox's proxies as ours: a good one, one banned at the exchange, SOCKS5."""
    monkeypatch.setenv("SSL_CERT_FILE", str(world.ca_bundle))
    monkeypatch.setattr(checking, "limits", lambda: Limits(connect_s=5, total_s=15))
    monkeypatch.setattr(reaching, "_sites", [])
    world.exchange.faults.clear()
    settings.JUDGE_URLS = [world.judge.judge_url, world.judge.judge_tls_url]
    CheckTarget.objects.all().delete()
    return [
        make_proxy(
            scheme=each.spec.protocol.value,
            host="127.0.0.1",
            port=each.port,
            username=each.spec.username or "",
            password=each.spec.password or "",
        )
        for each in world.proxies
    ]


def ping(world, tls=True):
    return f"{world.exchange.tls_url if tls else world.exchange.url}/api/v3/ping"


def go(do):
    return do(checking.submit(Selection(), by=SYSTEM, now=timezone.now()), checking.run)


@pytest.mark.parametrize("tls", [True, False])
def test_a_round_asks_who_reaches_a_target_and_the_answer_decides_who_is_lent(pool, world, do, tls):
    good, banned, socks = pool
    make_check_target(url=ping(world, tls))

    run = go(do)

    found = dict(TargetState.objects.values_list("proxy", "check_outcome"))
    assert found == {good.pk: "ok", banned.pk: "rate_limited", socks.pk: "ok"}
    assert run.checkpoint["targets"] == {"127.0.0.1": {"asked": 3, "reached": 2}}
    now = timezone.now()
    open_ones = Proxy.objects.open_to("127.0.0.1", at=now)
    assert set(open_ones.values_list("pk", flat=True)) == {good.pk, socks.pk}
    lent = {lending.acquire(Ask(target="127.0.0.1"), by=SYSTEM, now=now).proxy_id for _ in range(2)}
    assert lent == {good.pk, socks.pk}
    with pytest.raises(lending.NoProxyAvailableError):
        lending.acquire(Ask(target="127.0.0.1"), by=SYSTEM, now=now)
    assert lending.acquire(Ask(target="elsewhere.org"), by=SYSTEM, now=now).proxy_id == banned.pk
    banned.refresh_from_db()
    assert banned.state == "healthy"
    rules = {
        rule.name: rule for rule in explaining.explain(banned, Ask(target="127.0.0.1"), now=now)
    }
    assert not rules["target"].holds
    assert "answered 418" in rules["target"].text


def test_a_target_is_not_asked_again_before_its_time(pool, world, do):
    make_check_target(url=ping(world))
    go(do)
    first = dict(TargetState.objects.values_list("pk", "checked_at"))

    assert "targets" not in go(do).checkpoint
    assert dict(TargetState.objects.values_list("pk", "checked_at")) == first

    TargetState.objects.update(checked_at=timezone.now() - timedelta(hours=1))
    assert go(do).checkpoint["targets"]["127.0.0.1"]["asked"] == 3


def test_a_site_that_is_down_is_held_against_nobody(pool, world, do):
    make_check_target(url=ping(world))
    make_check_target(url="http://127.0.0.2:1/")
    world.exchange.faults.add(Fault(FaultKind.STATUS, status=503))

    run = go(do)

    assert run.status == "done"
    assert not TargetState.objects.exists()
    assert len(run.checkpoint["targets_down"]) == 2


def test_targets_that_are_switched_off_are_not_asked(pool, world, do):
    make_check_target(url=ping(world), is_enabled=False)
    go(do)

    assert not TargetState.objects.exists()


def test_a_round_has_so_many_visits(pool, world, do, monkeypatch):
    monkeypatch.setattr(reaching, "MOST", 2)
    make_check_target(url=ping(world))

    assert go(do).checkpoint["targets"]["127.0.0.1"]["asked"] == 2
    assert go(do).checkpoint["targets"]["127.0.0.1"]["asked"] == 1


@pytest.mark.django_db
def test_a_target_that_is_reached_again_is_open_at_once_but_not_for_those_whom_holders_report():
    mine, theirs = make_proxy(), make_proxy()
    ban = NOW + timedelta(days=1)
    make_target_state(proxy=theirs, blocked_until=ban, blocked_for="captcha")
    known = {SITE.target: SITE}

    for outcome, at in (("blocked", NOW), ("ok", NOW + timedelta(minutes=30))):
        reaching.keep(
            [Seen(each.pk, SITE.target, outcome) for each in (mine, theirs)], known, now=at
        )

    found = dict(TargetState.objects.values_list("proxy", "blocked_until"))
    assert found == {mine.pk: None, theirs.pk: ban}


@pytest.mark.django_db
def test_a_proxy_that_went_meanwhile_is_passed_over():
    reaching.keep([Seen(4711, SITE.target, "ok")], {SITE.target: SITE}, now=NOW)

    assert not TargetState.objects.exists()


@pytest.mark.django_db
def test_sites_of_collectors_become_targets_once_and_stay_off_where_staff_say_so(monkeypatch):
    monkeypatch.setattr(reaching, "_sites", [])
    reaching.register(lambda: ["https://api.binance.com/ping", "https://www.okx.com/time"])
    make_check_target(url="https://www.okx.com/time", is_enabled=False)

    reaching.seed()
    reaching.seed()

    assert [site.target for site in reaching.sites()] == ["binance.com"]
    assert CheckTarget.objects.count() == 2


def seen(proxy, outcome):
    return Seen(proxy.pk, SITE.target, outcome)


def state_after(proxy, *outcomes):
    """Let checks of the site come to ``outcomes``, two minutes apart; return the state."""
    for n, outcome in enumerate(outcomes):
        at = NOW + n * timedelta(minutes=2)
        reaching.keep([seen(proxy, outcome)], {SITE.target: SITE}, now=at)
    return TargetState.objects.get(proxy=proxy)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("outcomes", "is_open", "failures"),
    [
        (["ok", "timeout"], True, 1),  # a hiccup of one that reached it
        (["ok", "timeout", "timeout"], False, 2),
        (["ok", "timeout", "ok"], True, 0),
        (["timeout"], False, 1),  # it never reached it
        (["ok", "blocked"], False, 1),  # no hiccup brings that about
        (["ok", "timeout", "error", "ok"], True, 0),
        (["blocked", "timeout", "ok"], True, 0),
        (["blocked", "rate_limited", "ok"], True, 0),  # the shorter pause follows the longer one
    ],
)
def test_one_hiccup_is_forgiven_to_who_reached_the_site(outcomes, is_open, failures):
    state = state_after(make_proxy(), *outcomes)

    assert (state.blocked_until is None, state.check_failures) == (is_open, failures)


@pytest.mark.parametrize(
    ("outcome", "failures", "minutes"),
    [
        *[("ok", 0, 30), ("timeout", 1, 1), ("refused", 2, 5), ("error", 3, 10), ("error", 4, 20)],
        *[("timeout", 5, 30), ("timeout", 900, 30), ("blocked", 1, 30), ("rate_limited", 1, 30)],
    ],
)
def test_who_failed_by_a_hiccup_is_asked_again_soon(outcome, failures, minutes):
    assert reaching.wait_after(outcome, failures, SITE.every) == timedelta(minutes=minutes)


def test_a_round_asks_again_whoever_failed_lately_though_it_checks_nobody(pool, world, do):
    good, banned, _ = pool
    make_check_target(url=ping(world))
    Proxy.objects.update(check_due_at=timezone.now() + timedelta(hours=1))
    old = timezone.now() - timedelta(minutes=2)
    usual = {"target": "127.0.0.1", "checked_at": old, "check_failures": 1}
    make_target_state(proxy=good, check_outcome="timeout", **usual)
    make_target_state(proxy=banned, check_outcome="blocked", **usual)  # in peace till it is due

    run = do(runs.submit(runs.Ask(kind="proxies.validate"), by=SYSTEM, now=old), checking.run)

    assert (run.status, run.phase, run.progress) == ("done", "visiting targets", 100)
    assert run.counts | {"visits": 1, "visited": 1, "reached": 1} == run.counts
    assert run.checkpoint["targets"] == {"127.0.0.1": {"asked": 1, "reached": 1}}
    assert TargetState.objects.get(proxy=good).check_failures == 0
    assert [report.title for report in rounds.report(run)] == ["Targets"]


def test_who_asks_for_certain_proxies_does_not_have_others_visited(pool, world, do):
    good, banned, _ = pool
    make_check_target(url=ping(world))
    old = timezone.now() - timedelta(minutes=2)
    usual = {"target": "127.0.0.1", "checked_at": old, "check_failures": 1}
    make_target_state(proxy=good, check_outcome="timeout", **usual)

    run = do(checking.submit(Selection(ids=[banned.pk]), by=SYSTEM, now=old), checking.run)

    assert run.checkpoint["targets"] == {"127.0.0.1": {"asked": 1, "reached": 0}}


def test_visits_are_counted_by_site_and_outcome_and_move_the_run_on(pool, world, do):
    make_check_target(url=ping(world))
    before = {name: told(name) for name in ("ok", "rate_limited")}
    timed = REGISTRY.get_sample_value(f"{LATENCY}_count", {"target": "127.0.0.1"}) or 0

    run = go(do)

    assert {name: told(name) - before[name] for name in before} == {"ok": 2, "rate_limited": 1}
    assert REGISTRY.get_sample_value(f"{LATENCY}_count", {"target": "127.0.0.1"}) == timed + 2
    assert run.counts == {
        "proxies": 3,
        "checked": 3,
        "ok": 3,
        "visits": 3,
        "visited": 3,
        "reached": 2,
    }
    phases = RunEvent.objects.filter(run=run, event="run_update").values_list("data", flat=True)
    assert {each["phase"] for each in phases} >= {"checking", "visiting targets"}
    assert max(each["progress"] for each in phases if each["phase"] == "checking") <= 80


LATENCY = "proxy_target_latency_seconds"


def told(outcome):
    labels = {"target": "127.0.0.1", "outcome": outcome}
    return REGISTRY.get_sample_value("proxy_target_checks_total", labels) or 0


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *[(200, "ok"), (302, "ok"), (404, "ok"), (403, "blocked"), (451, "blocked")],
        *[(429, "rate_limited"), (418, "rate_limited"), (407, "refused"), (502, "error")],
    ],
)
def test_any_answer_but_a_refusal_means_that_a_site_is_reached(status, outcome):
    assert visiting.outcome_of(status) == outcome
