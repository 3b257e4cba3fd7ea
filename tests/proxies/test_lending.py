import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from project.core.callers import SYSTEM
from proxies import lending, returning
from proxies.lending import Ask
from proxies.models import Lease, LeaseSlot, PoolPolicy
from tests.proxies.factories import NOW, make_proxy, make_target_state

ASK = Ask(holder="tests")


def acquire(now=NOW, **wanted):
    return lending.acquire(Ask(**{"holder": "tests", **wanted}), by=SYSTEM, now=now)


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


@pytest.mark.django_db(transaction=True)
def test_acquire_never_lends_one_proxy_twice_to_rivals():
    for _ in range(8):
        make_proxy()

    def borrow(number):
        try:
            return acquire(holder=f"rival-{number}").proxy_id
        except lending.NoProxyAvailableError:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=16) as pool:
        lent = [found for found in pool.map(borrow, range(64)) if found]

    assert len(lent) == len(set(lent)) == 8
    assert Lease.objects.active().count() == 8
