import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from project.core.callers import SYSTEM, Caller
from proxies import lending, returning
from proxies.choices import Outcome, Pool, ProxyState
from proxies.lending import Ask, BadLeaseRequestError, NoProxyAvailableError
from proxies.models import Lease, LeaseSlot, Proxy, TargetState
from proxies.returning import Report
from tests.project.rivals import rivals
from tests.proxies.factories import (
    NOW,
    make_pool_policy,
    make_proxy,
    make_sticky_session,
    make_target_state,
)


def acquire(now=NOW, **wanted):
    return lending.acquire(Ask(**{"holder": "tests", **wanted}), by=SYSTEM, now=now)


def give_back(granted, outcome=Outcome.OK, now=NOW):
    return returning.release(granted.id, Report(outcome), token=granted.token, by=SYSTEM, now=now)


@pytest.mark.django_db
def test_acquire_lends_the_longest_rested_proxy_and_records_it():
    make_proxy(last_lent_at=NOW - timedelta(hours=1))
    rested = make_proxy(last_lent_at=NOW - timedelta(hours=2), exit_ip="203.0.113.9")

    granted = acquire(target="api.binance.com")

    slot = LeaseSlot.objects.get(proxy=rested)
    lease = Lease.objects.get()
    assert granted.proxy_id == rested.pk
    assert (granted.exit_ip, granted.reused) == ("203.0.113.9", False)
    assert (slot.token, slot.held_until) == (granted.token, NOW + timedelta(seconds=30))
    assert (lease.token, lease.state, lease.target) == (granted.token, "active", "binance.com")
    rested.refresh_from_db()
    assert rested.last_lent_at == NOW


@pytest.mark.django_db
def test_acquire_prefers_the_proxy_longest_away_from_the_target():
    seen = make_proxy(last_lent_at=NOW - timedelta(hours=9))
    fresh = make_proxy(last_lent_at=NOW - timedelta(hours=1))
    make_target_state(proxy=seen, last_lent_at=NOW - timedelta(minutes=1))

    assert acquire(target="www.binance.com").proxy_id == fresh.pk


@pytest.mark.django_db
def test_acquire_prefers_the_better_score_among_equals():
    make_proxy(score=60)
    better = make_proxy(score=70)

    assert acquire().proxy_id == better.pk


@pytest.mark.django_db
def test_acquire_tries_the_pools_best_first():
    cold = make_proxy(pool=Pool.COLD)
    hot = make_proxy(pool=Pool.HOT)
    warm = make_proxy(pool=Pool.WARM)

    lent = [acquire() for _ in range(3)]

    assert [each.proxy_id for each in lent] == [hot.pk, warm.pk, cold.pk]
    assert [each.expires_at - NOW for each in lent] == [
        timedelta(seconds=20),
        timedelta(seconds=30),
        timedelta(seconds=45),
    ]


@pytest.mark.django_db
def test_acquire_means_a_named_pool_literally():
    make_proxy(pool=Pool.HOT)

    with pytest.raises(NoProxyAvailableError):
        acquire(pool="warm")


@pytest.mark.django_db
@pytest.mark.parametrize("state", [state for state in ProxyState if state != ProxyState.HEALTHY])
def test_acquire_lends_only_healthy_proxies(state):
    make_proxy(state=state)

    with pytest.raises(NoProxyAvailableError):
        acquire()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"protocol": "socks5"}, {"scheme": "socks5"}),
        ({"protocol": "https"}, {"scheme": "http", "tls_ok": True}),
        ({"protocol": "https"}, {"scheme": "https"}),
        ({"country": "de"}, {"country": "DE"}),
        ({"min_score": 90}, {"score": 91}),
    ],
)
def test_acquire_keeps_to_the_wishes(wanted, fields):
    make_proxy(tls_ok=False)
    fitting = make_proxy(**fields)

    assert acquire(**wanted).proxy_id == fitting.pk
    with pytest.raises(NoProxyAvailableError):
        acquire(**wanted)


@pytest.mark.django_db
def test_acquire_of_a_banned_proxy_works_for_other_targets():
    banned = make_proxy()
    make_target_state(proxy=banned, blocked_until=NOW + timedelta(minutes=1), blocked_for="blocked")

    with pytest.raises(NoProxyAvailableError):
        acquire(target="api.binance.com")
    assert acquire(target="www.okx.com").proxy_id == banned.pk


@pytest.mark.django_db
def test_acquire_leaves_a_resting_proxy_alone():
    make_proxy(rest_until=NOW + timedelta(seconds=1))

    with pytest.raises(NoProxyAvailableError):
        acquire()
    assert acquire(now=NOW + timedelta(seconds=1))


@pytest.mark.django_db
def test_acquire_lends_again_once_the_lease_ran_out_and_closes_its_record():
    make_proxy()
    first = acquire()

    second = acquire(now=NOW + timedelta(seconds=30))

    assert second.proxy_id == first.proxy_id
    old = Lease.objects.get(pk=first.id)
    assert (old.state, old.ended_at) == ("expired", NOW + timedelta(seconds=30))


@pytest.mark.django_db
def test_acquire_with_nothing_free_says_when_to_come_back():
    make_proxy()
    acquire(ttl_s=3)

    with pytest.raises(NoProxyAvailableError) as caught:
        acquire(now=NOW + timedelta(seconds=1))

    assert caught.value.retry_after_s == 2


@pytest.mark.django_db
def test_acquire_with_the_same_request_id_gives_the_same_lease():
    make_proxy()
    make_proxy()

    first, again = acquire(request_id="r"), acquire(request_id="r", now=NOW + timedelta(seconds=1))

    assert (again.id, again.token, again.reused) == (first.id, first.token, True)
    assert acquire(request_id="r", holder="another").id != first.id


@pytest.mark.django_db
def test_acquire_with_the_request_id_of_a_lease_that_ran_out_gives_a_new_one():
    make_proxy()
    first = acquire(request_id="r")

    second = acquire(request_id="r", now=NOW + timedelta(minutes=1))

    assert (second.id != first.id, second.reused) == (True, False)
    assert Lease.objects.get(pk=first.id).state == "expired"


@pytest.mark.django_db
def test_acquire_lends_a_proxy_as_often_at_once_as_its_policy_says():
    make_pool_policy(pool="warm", max_leases=2)
    proxy = make_proxy()

    assert {acquire().proxy_id, acquire().proxy_id} == {proxy.pk}
    with pytest.raises(NoProxyAvailableError):
        acquire()


@pytest.mark.django_db
def test_acquire_by_exit_address_lends_one_of_those_that_share_it():
    shared = "exit:203.0.113.9"
    make_proxy(exclusive_key=shared)
    make_proxy(exclusive_key=shared)
    other = make_proxy()

    lent = {acquire().proxy_id, acquire().proxy_id}

    assert other.pk in lent
    with pytest.raises(NoProxyAvailableError):
        acquire()


@pytest.mark.django_db
def test_acquire_per_target_shares_a_proxy_between_targets_alone():
    make_pool_policy(pool="warm", is_per_target=True)
    proxy = make_proxy()

    lent = [acquire(target="api.binance.com").proxy_id, acquire(target="www.okx.com").proxy_id]

    assert lent == [proxy.pk, proxy.pk]
    with pytest.raises(NoProxyAvailableError):
        acquire(target="fapi.binance.com")


@pytest.mark.django_db
def test_a_session_keeps_its_proxy_while_it_is_healthy():
    first = make_proxy()
    make_proxy(last_lent_at=NOW - timedelta(days=9), score=99)
    make_sticky_session(proxy=first, session="s")

    give_back(lent := acquire(session="s"))
    again = acquire(session="s")

    assert (lent.proxy_id, again.proxy_id) == (first.pk, first.pk)
    with pytest.raises(NoProxyAvailableError):
        acquire(session="s")


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", ["dead", "banned", "resting"])
def test_a_session_moves_on_when_its_proxy_will_not_do(trouble):
    first, second = make_proxy(), make_proxy()
    make_sticky_session(proxy=first, session="s")
    if trouble == "dead":
        Proxy.objects.filter(pk=first.pk).update(state="failing", pool="")
    elif trouble == "resting":
        Proxy.objects.filter(pk=first.pk).update(rest_until=NOW + timedelta(seconds=9))
    else:
        until = NOW + timedelta(minutes=1)
        make_target_state(proxy=first, blocked_until=until, blocked_for="captcha")

    assert acquire(session="s", target="binance.com").proxy_id == second.pk


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wanted", [{"pool": "lukewarm"}, {"protocol": "gopher"}, {"ttl_s": 0}, {"ttl_s": 1e9}]
)
def test_acquire_refuses_wishes_without_sense(wanted):
    make_proxy()

    with pytest.raises(BadLeaseRequestError):
        acquire(**wanted)


@pytest.mark.django_db
def test_acquire_records_whose_lease_it_is(user):
    make_proxy()

    granted = lending.acquire(Ask(), by=Caller(user_id=user.pk), now=NOW)

    lease = Lease.objects.get(pk=granted.id)
    assert (lease.requested_by_id, lease.holder) == (user.pk, f"user:{user.pk}")


@pytest.mark.django_db
def test_a_granted_lease_shows_no_password_unless_asked():
    make_proxy(username="hans", password="ge@heim")

    granted = acquire()

    assert "hans:ge%40heim@" in granted.proxy_url
    assert "heim" not in repr(granted)


@pytest.mark.django_db
def test_acquire_takes_as_many_queries_with_many_proxies(django_assert_num_queries):
    for _ in range(3):
        make_proxy()
    acquire(target="binance.com")

    with CaptureQueriesContext(connection) as few:
        acquire(target="binance.com")
    for _ in range(30):
        make_proxy()
    with django_assert_num_queries(len(few)):
        acquire(target="binance.com")
    assert len(few) <= 12


@pytest.mark.django_db(transaction=True)
def test_acquire_never_lends_one_proxy_twice_to_rivals():
    for _ in range(8):
        make_proxy()

    def borrow(number):
        try:
            return acquire(holder=f"rival-{number}", target="binance.com").proxy_id
        except NoProxyAvailableError:
            return None

    lent = [found for found in rivals(64, borrow) if found]

    assert len(lent) == len(set(lent)) == 8
    assert Lease.objects.active().count() == 8


@pytest.mark.django_db(transaction=True)
def test_acquire_with_one_request_id_gives_rivals_one_lease():
    for _ in range(8):
        make_proxy()

    lent = rivals(16, lambda number: acquire(request_id="same"))

    assert len({each.token for each in lent}) == 1
    assert sum(not each.reused for each in lent) == 1
    assert Lease.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_acquire_lends_a_slot_that_ran_out_to_one_rival():
    make_proxy()
    acquire()
    later = NOW + timedelta(minutes=1)

    def borrow(number):
        try:
            return acquire(now=later, holder=f"rival-{number}").token
        except NoProxyAvailableError:
            return None

    lent = [token for token in rivals(16, borrow) if token]

    assert [LeaseSlot.objects.get().token] == lent


@pytest.mark.django_db(transaction=True)
def test_acquire_and_release_by_rivals_leaves_nothing_held():
    for _ in range(4):
        make_proxy()

    def work(number):
        done = 0
        for _ in range(6):
            try:
                give_back(acquire(holder=f"rival-{number}", target="binance.com"))
            except NoProxyAvailableError:
                continue
            done += 1
        return done

    done = sum(rivals(16, work))

    assert done
    assert not LeaseSlot.objects.exclude(token=None).exists()
    assert Lease.objects.filter(state="released").count() == done == Lease.objects.count()
    assert TargetState.objects.count() <= 4


@pytest.mark.django_db(transaction=True)
def test_acquire_never_lends_one_proxy_twice_to_64_rivals_in_4_processes():
    for _ in range(24):
        make_proxy()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "RIVALS_DATABASE": str(connection.settings_dict["NAME"]),
    }
    command = [sys.executable, "-m", "tests.proxies.processes"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started: list[Any] = [subprocess.Popen(command, env=environment, **pipes) for _ in range(4)]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()

    lent = [pk for process in started for pk in json.loads(process.communicate(timeout=60)[0])]

    assert len(lent) == len(set(lent)) == 24
