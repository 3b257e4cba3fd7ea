import uuid
from datetime import timedelta
from typing import Any

import pytest

from project.core.callers import SYSTEM, Caller
from proxies import lending, metrics, returning
from proxies.choices import LeaseState, Outcome
from proxies.lending import Ask, BadLeaseRequestError
from proxies.models import Lease, LeaseSlot
from proxies.returning import LeaseNotFoundError, Report, StaleTokenError
from tests.factories import make_user
from tests.project.rivals import rivals
from tests.proxies.factories import NOW, make_lease, make_proxy

SOON = NOW + timedelta(seconds=5)
LATE = NOW + timedelta(minutes=5)


@pytest.fixture
def lease(db):
    make_proxy()
    granted = lending.acquire(Ask(holder="tests"), by=SYSTEM, now=NOW)
    return Lease.objects.select_related("proxy").get(pk=granted.id)


def release(lease, report, *, token, now):
    returning.release(lease.pk, report, token=token, by=SYSTEM, now=now)
    return Lease.objects.get(pk=lease.pk)


def value(counter):
    return counter._value.get()


def test_renew_moves_the_end_of_lease_and_slot(lease):
    granted = returning.renew(lease.pk, token=lease.token, ttl_s=60, by=SYSTEM, now=SOON)

    until = SOON + timedelta(seconds=60)
    assert granted.expires_at == until
    assert LeaseSlot.objects.get().held_until == until
    lease.refresh_from_db()
    assert (lease.expires_at, lease.renewals) == (until, 1)


def test_renew_takes_the_time_of_the_pool_where_none_is_said(lease):
    granted = returning.renew(lease.pk, token=lease.token, ttl_s=None, by=SYSTEM, now=SOON)

    assert granted.expires_at == SOON + timedelta(seconds=30)


@pytest.mark.parametrize("now", [NOW + timedelta(seconds=30), LATE])
def test_renew_after_the_lease_ran_out_is_stale(lease, now):
    with pytest.raises(StaleTokenError):
        returning.renew(lease.pk, token=lease.token, ttl_s=60, by=SYSTEM, now=now)

    assert LeaseSlot.objects.get().held_until == NOW + timedelta(seconds=30)


def test_renew_with_another_token_is_stale_and_counted(lease):
    before = value(metrics.REUSE_ATTEMPTS)

    with pytest.raises(StaleTokenError):
        returning.renew(lease.pk, token=uuid.uuid4(), ttl_s=60, by=SYSTEM, now=SOON)

    assert value(metrics.REUSE_ATTEMPTS) == before + 1


def test_renew_with_an_impossible_time_is_refused(lease):
    with pytest.raises(BadLeaseRequestError):
        returning.renew(lease.pk, token=lease.token, ttl_s=1e6, by=SYSTEM, now=SOON)


def test_release_frees_the_slot_and_records_what_came_of_it(lease):
    report = Report(Outcome.BLOCKED, status_code=403, latency_ms=120.0, size_bytes=99)

    released = release(lease, report, token=lease.token, now=SOON)

    slot = LeaseSlot.objects.get()
    assert (slot.token, slot.held_until, slot.proxy_id) == (None, None, None)
    assert (released.state, released.released_at, released.is_late) == ("released", SOON, False)
    assert (released.outcome, released.status_code) == ("blocked", 403)
    assert (released.latency_ms, released.size_bytes) == (120.0, 99)


def test_release_again_changes_nothing(lease):
    release(lease, Report(Outcome.OK), token=lease.token, now=SOON)

    again = release(lease, Report(Outcome.BLOCKED), token=lease.token, now=LATE)

    assert (again.released_at, again.outcome, again.is_late) == (SOON, "ok", False)


def test_release_with_another_token_is_stale(lease):
    with pytest.raises(StaleTokenError):
        release(lease, Report(Outcome.OK), token=uuid.uuid4(), now=SOON)

    assert LeaseSlot.objects.get().token == lease.token


def test_release_after_the_end_is_recorded_as_late(lease):
    released = release(lease, Report(Outcome.OK), token=lease.token, now=LATE)

    assert (released.state, released.released_at, released.is_late) == ("expired", LATE, True)
    assert released.outcome == "ok"
    assert LeaseSlot.objects.get().token is None


def test_release_after_the_proxy_moved_on_leaves_the_new_holder_alone(lease):
    second = lending.acquire(Ask(holder="b"), by=SYSTEM, now=LATE)

    released = release(lease, Report(Outcome.OK), token=lease.token, now=LATE)

    assert released.is_late
    assert LeaseSlot.objects.get().token == second.token
    assert Lease.objects.get(pk=second.id).state == "active"


def test_release_counts_early_returns_and_holding_time(lease):
    before = value(metrics.RETURNED_EARLY), metrics.HOLD._sum.get()

    release(lease, Report(Outcome.OK), token=lease.token, now=SOON)

    assert value(metrics.RETURNED_EARLY) == before[0] + 1
    assert metrics.HOLD._sum.get() == before[1] + 5


def test_expire_ends_what_ran_out_and_frees_its_slot(lease):
    ended = returning.expire([(lease.pk, lease.token)], now=LATE)

    lease.refresh_from_db()
    assert (ended, lease.state, lease.ended_at) == (1, "expired", LATE)
    assert LeaseSlot.objects.get().token is None


def test_expire_leaves_a_lease_that_was_renewed_meanwhile(lease):
    returning.renew(lease.pk, token=lease.token, ttl_s=600, by=SYSTEM, now=SOON)

    ended = returning.expire([(lease.pk, lease.token)], now=LATE)

    lease.refresh_from_db()
    assert (ended, lease.state) == (0, "active")
    assert LeaseSlot.objects.get().token == lease.token


def test_revoke_ends_leases_of_others(lease):
    ended = returning.revoke(Lease.objects.all(), now=SOON)

    lease.refresh_from_db()
    assert (ended, lease.state, LeaseSlot.objects.get().token) == (1, LeaseState.REVOKED, None)
    with pytest.raises(StaleTokenError):
        returning.renew(lease.pk, token=lease.token, ttl_s=60, by=SYSTEM, now=SOON)


def test_find_shows_a_lease_to_its_owner_and_staff_alone(user):
    own = make_lease(requested_by=user)
    stranger = Caller(user_id=make_user().pk)

    assert returning.find(own.pk, by=Caller(user_id=user.pk)) == own
    assert returning.find(own.pk, by=SYSTEM) == own
    with pytest.raises(LeaseNotFoundError):
        returning.find(own.pk, by=stranger)
    with pytest.raises(LeaseNotFoundError):
        returning.find(own.pk, by=Caller())


@pytest.mark.django_db(transaction=True)
def test_release_by_rivals_teaches_once():
    proxy = make_proxy()
    granted = lending.acquire(Ask(holder="tests", target="binance.com"), by=SYSTEM, now=NOW)

    def give_back(number):
        report = Report(Outcome.BLOCKED)
        return returning.release(granted.id, report, token=granted.token, by=SYSTEM, now=SOON)

    told = rivals(8, give_back)

    assert {each.released_at for each in told} == {SOON}
    assert proxy.targets.get().failures_in_row == 1


@pytest.mark.django_db
@pytest.mark.parametrize("deed", ["renew", "release"])
def test_a_stranger_changes_nothing_even_with_the_token(user, deed):
    make_proxy()
    granted = lending.acquire(Ask(), by=Caller(user_id=user.pk), now=NOW)
    stranger = Caller(user_id=make_user().pk)
    who: Any = {"token": granted.token, "by": stranger, "now": SOON}

    def attempt():
        if deed == "renew":
            return returning.renew(granted.id, ttl_s=9, **who)
        return returning.release(granted.id, Report(Outcome.BLOCKED), **who)

    with pytest.raises(LeaseNotFoundError):
        attempt()

    assert LeaseSlot.objects.get().token == granted.token
    assert Lease.objects.get().released_at is None


def test_a_late_release_is_counted_as_run_out_once(lease):
    before = value(metrics.EXPIRED), value(metrics.RETURNED_EARLY)

    release(lease, Report(Outcome.OK), token=lease.token, now=LATE)
    release(lease, Report(Outcome.OK), token=lease.token, now=LATE)

    assert (value(metrics.EXPIRED), value(metrics.RETURNED_EARLY)) == (before[0] + 1, before[1])
