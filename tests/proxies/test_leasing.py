from datetime import timedelta

import pytest
from django.utils import timezone

from project.core.errors import TransientError
from project.core.working import StopWorkError
from proxies import leasing
from proxies.models import Lease, LeaseSlot
from tests.proxies.factories import make_proxy

pytestmark = pytest.mark.django_db


def test_a_block_leases_a_proxy_and_gives_it_back_as_ok():
    proxy = make_proxy(username="hans", password="geheim", exit_ip="203.0.113.9")

    with leasing.lease_proxy(target="api.binance.com", holder="markets.collect") as lease:
        assert LeaseSlot.objects.get().token == lease.token
        assert lease.proxy_url == f"http://hans:geheim@{proxy.host}:8080"
        assert (lease.exit_ip, lease.proxy_id) == ("203.0.113.9", proxy.pk)

    row = Lease.objects.get()
    assert (row.state, row.outcome, row.holder) == ("released", "ok", "markets.collect")
    assert LeaseSlot.objects.get().token is None


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(), "refused"),
        (ConnectionResetError(), "refused"),
        (TransientError("429"), "error"),
        (OSError(), "error"),
        (KeyError("a bug"), ""),
        (StopWorkError("canceled"), ""),
    ],
)
def test_an_exception_that_leaves_the_block_is_the_outcome(error, outcome):
    make_proxy()

    with pytest.raises(type(error)), leasing.lease_proxy():
        raise error

    assert Lease.objects.get().outcome == outcome
    assert LeaseSlot.objects.get().token is None


def test_the_cause_of_an_exception_tells_the_outcome():
    error = TransientError("no answer")
    error.__cause__ = ValueError()
    error.__cause__.__cause__ = TimeoutError()

    assert leasing.outcome_of(error) == "timeout"


def test_a_report_in_the_block_stands():
    make_proxy()

    with leasing.lease_proxy() as lease:
        lease.report(outcome="rate_limited", status_code=429)
        lease.report(outcome="ok")

    row = Lease.objects.get()
    assert (row.outcome, row.status_code) == ("rate_limited", 429)


def test_keep_renews_only_when_half_of_the_time_is_gone():
    make_proxy()

    with leasing.lease_proxy(ttl_s=600) as lease:
        first = lease.expires_at
        lease.keep()
        assert lease.expires_at == first
        earlier = timezone.now() - timedelta(seconds=400)
        granted = lease._granted
        Lease.objects.update(acquired_at=earlier)
        lease._granted = type(granted)(
            **{
                **{name: getattr(granted, name) for name in granted.__slots__},
                "acquired_at": earlier,
                "expires_at": earlier + timedelta(seconds=600),
            }
        )
        lease.keep()
        assert lease.expires_at > first

    assert Lease.objects.get().renewals == 1


def test_renew_of_a_lease_that_was_taken_away_is_stale():
    make_proxy()

    with leasing.lease_proxy() as lease:
        LeaseSlot.objects.update(token=None, held_until=None, proxy=None)
        with pytest.raises(leasing.StaleTokenError):
            lease.renew()


def test_nothing_free_is_told_before_the_block():
    with pytest.raises(leasing.NoProxyAvailableError), leasing.lease_proxy():
        raise AssertionError("never here")
