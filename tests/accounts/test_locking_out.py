from datetime import timedelta

import pytest

from accounts import locking_out
from accounts.models import SignInFailures

pytestmark = pytest.mark.django_db
HERE, THERE = "203.0.113.9", "198.51.100.7"


def fail(times, now, *, email="ann@example.com", address=HERE):
    for _ in range(times):
        locking_out.failed(email, address=address, now=now)


def is_locked(now, *, email="ann@example.com", address=HERE):
    return locking_out.locked_until(email, address=address, now=now) is not None


def test_ten_failures_lock_one_place_for_a_quarter_of_an_hour(now):
    fail(9, now)
    assert not is_locked(now)
    fail(1, now)

    assert is_locked(now, email=" ANN@example.com")
    assert not is_locked(now, address=THERE)
    assert not is_locked(now, email="bob@example.com")
    assert is_locked(now + locking_out.LOCKED_FOR - timedelta(seconds=1))
    assert not is_locked(now + locking_out.LOCKED_FOR)
    with pytest.raises(locking_out.LockedOutError) as caught:
        locking_out.require_open("ann@example.com", address=HERE, now=now)
    assert (caught.value.retry_after_s, caught.value.extra) == (900, {"reset_seconds": 900})


def test_failures_from_everywhere_lock_all_places(now):
    for number in range(locking_out.FROM_ALL):
        fail(1, now, address=f"203.0.113.{number}")

    assert is_locked(now, address=THERE)


def test_old_failures_do_not_add_up(now):
    fail(9, now)
    fail(1, now + locking_out.WITHIN)

    assert not is_locked(now + locking_out.WITHIN)


def test_success_forgives_one_place(now):
    fail(9, now)
    locking_out.forgive("ann@example.com", address=HERE)
    fail(9, now)

    assert not is_locked(now)


def test_rows_name_nobody_and_are_dropped_after_a_day(now):
    fail(1, now)
    assert "ann" not in str(list(SignInFailures.objects.values()))

    fail(1, now + timedelta(days=2), email="bob@example.com")

    assert SignInFailures.objects.count() == 2
    assert str(SignInFailures.objects.first()).startswith("1 since")
