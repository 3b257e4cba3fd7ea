import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.db import transaction

from project.core.callers import SYSTEM
from proxies import claiming, lending, policies
from proxies.claiming import Draft
from proxies.lending import Ask
from proxies.models import Lease, LeaseSlot
from proxies.picking import Wish
from tests.project.rivals import rivals
from tests.proxies.factories import (
    NOW,
    make_lease,
    make_pool_policy,
    make_proxy,
    make_target_state,
)

UNTIL = NOW + timedelta(seconds=30)


def claim(wish=None, policy=None):
    policy = policy or policies.of("warm")
    draft = Draft(uuid.uuid4(), holder="tests", until=UNTIL, now=NOW)
    with transaction.atomic():
        return claiming.claim(wish or Wish(), policy, draft)


@pytest.mark.django_db
def test_claim_makes_the_slots_that_a_pool_lacks():
    proxy = make_proxy(slots=0)

    claimed = claim()

    assert (claimed.proxy_id, claimed.n) == (proxy.pk, 0)
    assert LeaseSlot.objects.get().proxy_id == proxy.pk


@pytest.mark.django_db
def test_claim_uses_the_slots_that_a_policy_added():
    make_proxy()
    claim()

    claimed = claim(policy=policies.of(make_pool_policy(max_leases=2).pool))

    assert claimed.n == 1


@pytest.mark.django_db
def test_claim_tells_login_and_ends_the_record_that_ran_out():
    proxy = make_proxy(username="hans", password="geheim")
    old = make_lease(proxy=proxy, expires_at=NOW, acquired_at=NOW - timedelta(seconds=9))
    LeaseSlot.objects.update(token=old.token, held_until=NOW)

    claimed = claim()

    old.refresh_from_db()
    assert (claimed.username, claimed.password, claimed.has_expired) == ("hans", "geheim", True)
    assert (old.state, old.ended_at) == ("expired", NOW)
    assert Lease.objects.get(pk=claimed.lease_id).state == "active"


@pytest.mark.django_db
def test_claim_records_why_the_proxy_was_chosen():
    before = NOW - timedelta(hours=1)
    proxy = make_proxy(score=61, last_lent_at=before)
    make_target_state(proxy=proxy, last_lent_at=before - timedelta(hours=1))

    lease = Lease.objects.get(pk=claim(Wish(target="binance.com")).lease_id)

    assert (lease.score, lease.rested_since) == (61, before)
    assert lease.away_since == before - timedelta(hours=1)


@pytest.mark.django_db
def test_a_proxy_is_used_as_often_in_a_window_as_its_policy_says():
    make_pool_policy(uses_per_window=2, window_s=60, max_leases=5)
    make_proxy(slots=5)
    policy = policies.of("warm")

    first, second, third = claim(policy=policy), claim(policy=policy), claim(policy=policy)

    assert first is not None
    assert second is not None
    assert third is None
    Lease.objects.filter(pk=first.lease_id).update(acquired_at=NOW - timedelta(seconds=60))
    assert claim(policy=policy) is not None
    assert claim(policy=policy) is None


@pytest.mark.django_db
def test_uses_count_per_target_where_the_policy_lends_per_target():
    make_pool_policy(uses_per_window=1, window_s=60, is_per_target=True)
    make_proxy()
    policy = policies.of("warm")

    found = [claim(Wish(target=target), policy) for target in ("a.com", "b.com", "a.com")]

    assert [one is not None for one in found] == [True, True, False]


@pytest.mark.django_db(transaction=True)
def test_uses_per_window_hold_against_rivals():
    make_pool_policy(uses_per_window=3, window_s=60, max_leases=8)
    for _ in range(2):
        make_proxy(slots=8)

    def borrow(number):
        try:
            return lending.acquire(Ask(holder=f"rival-{number}"), by=SYSTEM, now=NOW).proxy_id
        except lending.NoProxyAvailableError:
            return None

    lent = [found for found in rivals(16, borrow) if found]

    assert sorted(Counter(lent).values()) == [3, 3]
    assert Lease.objects.count() == 6


@pytest.mark.django_db
def test_make_slots_again_makes_none():
    assert claiming.make_slots(["a", "b"], most=2) == 4
    assert claiming.make_slots(["a", "b"], most=2) == 0


@pytest.mark.django_db
def test_free_after_is_when_the_next_slot_comes_back():
    longest = timedelta(seconds=5)
    assert claiming.free_after(now=NOW, at_most=longest) == longest

    LeaseSlot.objects.create(
        exclusive_key="a", token=uuid.uuid4(), held_until=NOW + timedelta(seconds=2)
    )

    assert claiming.free_after(now=NOW, at_most=longest) == timedelta(seconds=2)
