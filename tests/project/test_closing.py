"""Maintenance: whom it keeps out, from where, and what goes on."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from project.core import closing, halting
from project.core.callers import NOBODY, SYSTEM, Caller
from project.core.closing import MaintenanceError
from project.core.models import Halt
from tests.factories import make_staff

CLIENT = Caller(user_id=7)
STAFF = Caller(user_id=1, is_staff=True)
LATER = timedelta(seconds=closing.READ_EVERY_S)


@pytest.fixture
def closed(db, now):
    halting.stop(closing.CLIENTS, why="a larger disk", by=SYSTEM, now=now)


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    "path", ["/api/proxies", "/api/leases", "/videos", "/register", "/ws/runs/1/"]
)
def test_clients_are_told_to_come_back_and_not_why(path, now):
    for who in (lambda: CLIENT, lambda: NOBODY):
        with pytest.raises(MaintenanceError, match="since 2026-01-05 12:00 UTC") as told:
            closing.require_open(path, who, now=now)
        assert told.value.retry_after_s == closing.COME_BACK_S
        assert "disk" not in str(told.value)

    closing.require_open(path, lambda: STAFF, now=now)


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    "path", ["/", "/admin/", "/health/ready", "/metrics", "/api/health", "/api/system/tasks",
             "/api/auth/login", "/sign-in", "/account/second-factor", "/judge", "/static/x.css"]
)  # fmt: skip
def test_what_staff_and_machines_need_stays_open(path, now):
    def who() -> Caller:
        raise AssertionError("nobody needs to be known here")

    closing.require_open(path, who, now=now)


@pytest.mark.django_db
def test_the_switch_is_read_every_two_seconds_at_most(now, django_assert_num_queries):
    with django_assert_num_queries(1):
        for _ in range(3):
            closing.require_open("/api/runs", lambda: CLIENT, now=now)
    assert closing.is_surely_open(now=now)

    halting.stop(closing.CLIENTS, why="", by=SYSTEM, now=now)

    closing.require_open("/api/runs", lambda: CLIENT, now=now)  # another process would not know yet
    assert not closing.is_surely_open(now=now + LATER)
    with pytest.raises(MaintenanceError):
        closing.require_open("/api/runs", lambda: CLIENT, now=now + LATER)
    halting.release(closing.CLIENTS, by=SYSTEM, now=now)
    closing.require_open("/api/runs", lambda: CLIENT, now=now + 2 * LATER)


@pytest.mark.django_db
def test_a_database_that_is_away_opens_and_closes_nothing(now, monkeypatch, closed):
    with pytest.raises(MaintenanceError):
        closing.require_open("/api/runs", lambda: CLIENT, now=now)

    def away(**_: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(Halt.objects, "filter", away)

    with pytest.raises(MaintenanceError):
        closing.require_open("/api/runs", lambda: CLIENT, now=now + LATER)


@pytest.mark.django_db
def test_staff_close_and_open_it_in_the_console_and_every_page_says_so(client):
    client.force_login(make_staff(is_superuser=True))
    page = client.get(reverse("admin:core_halt_changelist")).content.decode()
    assert "Serving clients" in page

    client.post(reverse("admin:core_halt_stop", args=["clients"]), {"why": "a larger disk"})

    page = client.get(reverse("admin:core_run_changelist")).content.decode()
    assert "Maintenance" in page
    assert "a larger disk" in page
    told = Client().get("/api/health").content.decode()
    assert "Serving clients is stopped since" in told
    assert "disk" not in told
    assert "@" not in told
    assert client.get("/videos").status_code == 200  # staff look whether all is well
    client.post(reverse("admin:core_halt_release", args=["clients"]))
    page = client.get(reverse("admin:core_run_changelist")).content.decode()
    assert "Maintenance" not in page
