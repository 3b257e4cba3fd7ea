"""Rounds that ask whether proxies reach targets, with real proxies and sites on loopback."""

from datetime import timedelta

import pytest
from django.utils import timezone

from project import sandbox
from project.core.callers import SYSTEM
from project.sandbox import Fault, FaultKind, ProxyKind, ProxySpec
from proxies import checking, explaining, lending, reaching
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


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *[(200, "ok"), (302, "ok"), (404, "ok"), (403, "blocked"), (451, "blocked")],
        *[(429, "rate_limited"), (418, "rate_limited"), (407, "refused"), (502, "error")],
    ],
)
def test_any_answer_but_a_refusal_means_that_a_site_is_reached(status, outcome):
    assert visiting.outcome_of(status) == outcome
