import uuid
from datetime import timedelta

import pytest

from project.core.callers import SYSTEM
from proxies import lending, mending
from proxies.lending import Ask
from proxies.models import Lease, LeaseSlot, Mending
from tests.proxies.factories import NOW, make_lease, make_proxy

#: An error of the database ends the transaction around it: none may be there.
pytestmark = pytest.mark.django_db(transaction=True)
SOON = NOW + timedelta(seconds=5)


def acquire(now=SOON):
    return lending.acquire(Ask(holder="tests"), by=SYSTEM, now=now)


def test_a_lease_that_stands_on_a_free_slot_gets_it_back_and_nobody_else_the_proxy():
    first = make_proxy()
    second = make_proxy(last_lent_at=NOW)
    standing = make_lease(proxy=first)

    granted = acquire()

    assert granted.proxy_id == second.pk
    slot = LeaseSlot.objects.get(exclusive_key=first.exclusive_key)
    assert (slot.token, slot.held_until) == (standing.token, standing.expires_at)
    assert Mending.objects.get().done == "claimed"


def test_a_record_that_ran_out_on_a_free_slot_is_ended():
    old = make_lease(proxy=make_proxy(), expires_at=NOW + timedelta(seconds=1))

    granted = acquire()

    old.refresh_from_db()
    assert (granted.proxy_id, old.state) == (old.proxy_id, "expired")


def test_a_slot_that_no_lease_holds_is_freed():
    proxy = make_proxy()
    LeaseSlot.objects.update(token=uuid.uuid4(), held_until=SOON + timedelta(hours=1))

    assert mending.mend(now=SOON) == 1

    assert Mending.objects.get().done == "freed"
    assert acquire().proxy_id == proxy.pk


def test_a_record_whose_slot_is_anothers_is_ended():
    proxy = make_proxy()
    granted = acquire()
    Lease.objects.update(n=1)
    intruder = make_lease(proxy=proxy)

    assert mending.mend(now=SOON) == 1

    intruder.refresh_from_db()
    assert (intruder.state, Lease.objects.get(pk=granted.id).state) == ("revoked", "active")


def test_where_all_agree_nothing_is_mended():
    make_proxy()
    make_proxy()
    acquire()

    assert mending.mend(now=SOON) == 0
    assert not Mending.objects.exists()
