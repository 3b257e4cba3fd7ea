from datetime import timedelta

import pytest

from project.core.callers import SYSTEM
from proxies import lending, managing, policies, reporting, scoring
from proxies.lending import Ask
from proxies.models import Lease, LeaseSlot, Proxy, TargetState
from tests.proxies.factories import NOW, make_proxy, make_target_state

pytestmark = pytest.mark.django_db


def test_block_takes_proxies_out_and_ends_their_leases():
    lent, free = make_proxy(), make_proxy(last_lent_at=NOW)
    lending.acquire(Ask(holder="tests"), by=SYSTEM, now=NOW)

    taken = managing.block(Proxy.objects.all(), now=NOW)

    assert taken == 2
    assert set(Proxy.objects.values_list("state", "pool")) == {("blocked", "")}
    assert Lease.objects.get().state == "revoked"
    assert LeaseSlot.objects.filter(token=None).count() == 2
    assert managing.block(Proxy.objects.all(), now=NOW) == 0
    assert {lent.pk, free.pk} == set(Proxy.objects.values_list("pk", flat=True))


def test_unblock_lets_them_be_checked_again():
    for state in ("blocked", "retired", "healthy"):
        make_proxy(state=state, failures_in_row=5)

    assert managing.unblock(Proxy.objects.all(), now=NOW) == 2

    found = Proxy.objects.filter(state="failing", check_due_at=NOW, failures_in_row=0)
    assert found.count() == 2


def test_lift_ends_bans():
    make_target_state(
        blocked_until=NOW + timedelta(hours=1), blocked_for="blocked", failures_in_row=3
    )
    make_target_state()

    assert managing.lift(TargetState.objects.all()) == 1

    assert set(TargetState.objects.values_list("blocked_until", "failures_in_row")) == {(None, 0)}


def test_retire_takes_out_until_a_list_names_them():
    make_proxy()
    make_proxy(state="blocked")
    make_proxy(state="retired", retired_at=NOW - timedelta(days=9))
    lending.acquire(Ask(holder="tests"), by=SYSTEM, now=NOW)

    assert managing.retire(Proxy.objects.all(), now=NOW) == 1

    assert sorted(Proxy.objects.values_list("state", "retired_at")) == [
        ("blocked", None),
        ("retired", NOW - timedelta(days=9)),
        ("retired", NOW),
    ]
    assert Lease.objects.get().state == "revoked"


@pytest.mark.parametrize(("pool", "score"), [("hot", 90), ("warm", 60), ("cold", 20)])
def test_move_gives_a_score_in_the_middle_of_the_pool(pool, score):
    proxy, other = make_proxy(pool="warm", slots=0), make_proxy(state="failing")

    assert managing.move(Proxy.objects.all(), pool=pool, now=NOW) == 1

    proxy.refresh_from_db()
    other.refresh_from_db()
    assert (proxy.pool, round(proxy.score or 0), other.pool) == (pool, score, "")
    assert LeaseSlot.objects.filter(exclusive_key=proxy.exclusive_key).exists()


def test_staffs_word_is_outweighed_by_checks():
    proxy = make_proxy(pool="cold")
    managing.move(Proxy.objects.all(), pool="hot", now=NOW)
    proxy.refresh_from_db()
    known = scoring.Evidence(proxy.good_weight, proxy.total_weight, proxy.evidence_at)

    for minute in range(1, 4):
        known = scoring.add(known, value=0, weight=1, at=NOW + timedelta(minutes=minute))

    bounds = reporting.bounds_of(policies.every())
    score = scoring.score_of(known, at=NOW + timedelta(minutes=3))
    assert scoring.pool_of(score, current="hot", bounds=bounds) == "warm"


def test_ban_keeps_proxies_from_one_site_for_a_time():
    proxy, long_banned = make_proxy(), make_proxy()
    until = NOW + timedelta(days=9)
    make_target_state(proxy=long_banned, blocked_until=until, blocked_for="captcha")

    lasts = timedelta(hours=1)
    banned = managing.ban(Proxy.objects.all(), target="API.binance.com", lasts=lasts, now=NOW)

    found = dict(TargetState.objects.values_list("proxy", "blocked_until"))
    assert banned == 2
    assert found == {proxy.pk: NOW + lasts, long_banned.pk: until}
    ask = Ask(holder="tests", target="www.binance.com")
    with pytest.raises(lending.NoProxyAvailableError):
        lending.acquire(ask, by=SYSTEM, now=NOW)
    granted = lending.acquire(Ask(holder="tests", target="okx.com"), by=SYSTEM, now=NOW)
    assert granted.proxy_id in found


@pytest.mark.parametrize(
    ("target", "hours"), [("", 1), ("localhost", 1), ("x.com", 0), ("x.com", 24 * 366)]
)
def test_a_ban_needs_a_site_and_a_time(target, hours):
    with pytest.raises(managing.BadTargetError):
        managing.ban(Proxy.objects.all(), target=target, lasts=timedelta(hours=hours), now=NOW)
