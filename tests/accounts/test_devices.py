import pytest

from accounts import devices
from accounts.models import Device
from accounts.noting import Sight
from tests.factories import make_device, make_user

pytestmark = pytest.mark.django_db


def test_sign_in_is_noted_once(now, user):
    sight = Sight("203.0.113.9", "A" * 400)

    devices.begun(user, "s1", sight, now=now)
    devices.begun(user, "s1", sight, now=now)

    device = Device.objects.get()
    assert (device.first_seen_at, device.last_seen_at) == (now, now)
    assert (len(device.agent), device.address) == (300, "203.0.113.9")


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
