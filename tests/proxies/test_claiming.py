import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction

from proxies import claiming, policies
from proxies.claiming import Wish
from proxies.models import LeaseSlot, Proxy
from tests.proxies.factories import NOW, make_pool_policy, make_proxy

UNTIL = NOW + timedelta(seconds=30)


def claim(wish=None, policy=None):
    policy = policy or policies.of("warm")
    with transaction.atomic():
        return claiming.claim(wish or Wish(), policy, token=uuid.uuid4(), until=UNTIL, now=NOW)


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

    claimed = claim(policy=make_pool_policy(pool="warm", max_leases=2))

    assert claimed.n == 1


@pytest.mark.django_db
def test_claim_tells_login_and_the_token_that_ran_out():
    make_proxy(username="hans", password="geheim")
    old = uuid.uuid4()
    LeaseSlot.objects.update(token=old, held_until=NOW)

    claimed = claim()

    assert (claimed.username, claimed.password, claimed.old_token) == ("hans", "geheim", old)


@pytest.mark.django_db
def test_claim_passes_over_a_proxy_that_changed_since_the_pick(monkeypatch):
    make_proxy()
    real = claiming._pick

    def retired_meanwhile(*args, **kwargs):
        row = real(*args, **kwargs)
        Proxy.objects.update(state="failing", pool="")
        return row

    monkeypatch.setattr(claiming, "_pick", retired_meanwhile)

    assert claim() is None
    assert LeaseSlot.objects.get().token is None


@pytest.mark.django_db
def test_the_pick_reads_a_pool_in_the_order_of_its_index():
    for _ in range(50):
        make_proxy()
    policy = policies.of("warm")
    statement, values = claiming._statement(Wish(target="x"), policy, window=16, now=NOW)
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by statistics: a small table is read whole")

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        plan = [row[-1] for row in cursor.fetchall()]

    assert any("proxy_rested" in step for step in plan), plan


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
