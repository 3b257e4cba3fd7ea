"""What the accounts tell Prometheus."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Session
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def told() -> float:
    lines = Client().get("/metrics").content.decode().splitlines()
    [line] = [line for line in lines if line.startswith("sessions_active ")]
    return float(line.split()[1])


def test_sessions_count_until_they_end():
    assert told() == 0

    browser, other = Client(), Client()
    browser.force_login(make_user(email="one@example.com"))
    other.force_login(make_user(email="two@example.com"))
    Session.objects.create(session_key="stranger", expire_date=timezone.now() + timedelta(days=1))
    assert told() == 2

    Session.objects.filter(pk=browser.session.session_key).update(expire_date=timezone.now())
    assert told() == 1

    Client().get("/")
    Session.objects.all().delete()
    assert told() == 0
