from datetime import timedelta

import pytest

from project.core.callers import SYSTEM
from proxies import lending, managing
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
