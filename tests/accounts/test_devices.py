from datetime import timedelta

import pytest

from accounts import devices
from accounts.models import Device
from tests.factories import make_device, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(devices, "_written", {})


def see(user, now, key="s1", agent="Firefox"):
    devices.seen(user, key, agent=agent, address="203.0.113.9", now=now)


def test_sight_is_written_once_a_minute(now, user, django_assert_num_queries):
    see(user, now)
    with django_assert_num_queries(0):
        see(user, now + timedelta(seconds=59))
    with django_assert_num_queries(1):
        see(user, now + timedelta(seconds=60), agent="A" * 400)

    device = Device.objects.get()
    assert (device.first_seen_at, device.last_seen_at) == (now, now + timedelta(seconds=60))
    assert (len(device.agent), device.address) == (300, "203.0.113.9")


def test_memory_is_bounded(now, user, monkeypatch):
    monkeypatch.setattr(devices, "_REMEMBERED", 3)
    for number in range(5):
        see(user, now, key=f"s{number}")

    assert len(devices._written) <= 3


def test_session_that_ended_is_not_listed(now, user):
    make_device(user=user)

    assert devices.current(user, now=now) == []


def test_strangers_device_is_not_found(user):
    device = make_device()

    with pytest.raises(devices.UnknownDeviceError):
        devices.revoke(user, device.pk)
    assert Device.objects.get() == device
    assert "Firefox" in str(device)


def test_others_are_revoked(user):
    make_device(user=user, session_key="mine")
    make_device(user=user)
    make_device(user=make_user())

    assert devices.revoke_others(user, but="mine") == 1
    assert Device.objects.count() == 2
