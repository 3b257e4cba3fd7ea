import pytest
from django.test import AsyncClient, Client
from django.utils import timezone

from accounts.models import User
from tests.factories import make_key, make_staff, make_user

pytestmark = pytest.mark.django_db


def test_staff_without_a_second_factor_are_led_to_enrol_where_it_is_required(settings):
    settings.STAFF_SECOND_FACTOR = True
    staff, plain = make_staff(), make_user()
    client, other = Client(), Client()
    client.force_login(staff)
    other.force_login(plain)
    key = Client(headers={"Authorization": f"Api-Key {make_key(staff, scopes=['admin']).secret}"})

    led = client.get("/admin/core/run/")

    assert (led.status_code, led["Location"]) == (302, "/account/second-factor")
    assert client.get("/api/system/tasks").status_code == 403
    assert key.get("/api/system/tasks").status_code == 200
    assert other.get("/api/auth/me").status_code == 200


def test_nobody_is_led_where_it_is_not_required():
    client = Client()
    client.force_login(make_staff())

    assert client.get("/admin/core/run/").status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_asynchronous_requests_are_led_too(settings):
    settings.STAFF_SECOND_FACTOR = True
    staff = await User.objects.acreate(
        email="a@example.com", is_staff=True, is_superuser=True, date_joined=timezone.now()
    )
    client = AsyncClient()
    await client.aforce_login(staff)

    assert (await client.get("/admin/core/run/")).status_code == 302
