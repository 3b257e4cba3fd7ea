from datetime import timedelta

import pytest

from accounts import noting
from accounts.models import ApiKey, Device, Session
from accounts.noting import Sight
from tests.factories import make_device, make_key, make_user

pytestmark = pytest.mark.django_db
SIGHT = Sight("203.0.113.9", "curl/8")


def test_use_of_a_key_is_written_behind_once_a_minute(now, user, django_assert_num_queries):
    key = make_key(user).key

    def used(seconds: int) -> int:
        with django_assert_num_queries(0):
            noting.key_used(
                key.pk, SIGHT, user_id=key.user_id, now=now + timedelta(seconds=seconds)
            )
        noting.flush()
        found = ApiKey.objects.get().last_used_at
        return int((found - now).total_seconds()) if found else -1

    assert [used(at) for at in (0, 30, 59, 60, 61)] == [0, 0, 0, 60, 60]
    assert ApiKey.objects.values_list("last_address", "last_agent").get() == (
        "203.0.113.9",
        "curl/8",
    )


def test_older_note_of_another_process_changes_nothing(now, user):
    key = make_key(user).key
    ApiKey.objects.update(last_used_at=now)

    noting.key_used(key.pk, SIGHT, user_id=key.user_id, now=now - timedelta(seconds=5))
    noting.flush()

    assert ApiKey.objects.get().last_used_at == now


def test_browser_that_was_never_noted_is_written_while_its_session_lives(now, user):
    Session.objects.create(
        session_key="lives", session_data="", user=user, expire_date=now + timedelta(days=1)
    )
    for session_key in ("lives", "ended"):
        noting.session_used(session_key, SIGHT, user_id=user.pk, now=now)

    assert Device.objects.count() == 0
    assert noting.flush() == 2

    device = Device.objects.get()
    assert (device.session_key, device.user, device.last_seen_at) == ("lives", user, now)


def test_known_browser_is_seen_again(now, user):
    device = make_device(user=user, last_seen_at=now, first_seen_at=now)

    noting.session_used(device.session_key, SIGHT, user_id=user.pk, now=now + timedelta(seconds=90))
    noting.now_seen()

    device.refresh_from_db()
    assert (device.last_seen_at, device.agent) == (now + timedelta(seconds=90), "curl/8")


def test_what_ended_is_not_written(now, user):
    noting.session_used("s", SIGHT, user_id=user.pk, now=now)

    noting.forget_session("s")

    assert noting.flush() == 0


def test_user_who_is_gone_stops_nothing(now, user):
    gone = make_user()
    Session.objects.create(
        session_key="s", session_data="", user=user, expire_date=now + timedelta(days=1)
    )
    noting.session_used("s", SIGHT, user_id=gone.pk, now=now)
    gone.delete()

    assert noting.flush() == 1
    assert Device.objects.count() == 0


def test_what_could_not_be_written_waits(now, user, monkeypatch):
    from django.db import DatabaseError

    key = make_key(user).key
    noting.key_used(key.pk, SIGHT, user_id=key.user_id, now=now)

    def away(*_: object) -> None:
        raise DatabaseError("away")

    with monkeypatch.context() as patched:
        patched.setattr(noting, "_write_key", away)
        with pytest.raises(DatabaseError):
            noting.flush()

    assert noting.flush() == 1
    assert ApiKey.objects.get().last_used_at == now


def test_memory_is_bounded(now, user, monkeypatch):
    monkeypatch.setattr(noting, "_REMEMBERED", 3)
    for number in range(10):
        noting.session_used(f"s{number}", SIGHT, user_id=user.pk, now=now)

    assert len(noting._noted) <= 3
