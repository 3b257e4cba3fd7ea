import time
from typing import Any

import pytest
from django.db import DatabaseError

from project.core import health, issues, version
from project.core.choices import Role
from tests.factories import make_heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture
def _healthy(monkeypatch) -> None:
    make_heartbeat(role=Role.WORKER)
    make_heartbeat(role=Role.BEAT)
    monkeypatch.setattr(issues, "_sources", [])
    monkeypatch.setattr(health, "DISK_LOW_BYTES", 0)


def away() -> Any:
    raise DatabaseError("gone away")


@pytest.mark.usefixtures("_healthy")
def test_home_tells_programs_and_people_where_everything_is(client):
    program = client.get("/")
    person = client.get("/", headers={"Accept": "text/html,*/*;q=0.8"})

    told = program.json()
    assert (told["name"], told["version"]) == ("Millrace", version.NUMBER)
    assert told["commit"] == version.commit()
    for place in told["places"].values():
        assert client.get(place).status_code in {200, 302, 503}, place
    assert person["Content-Type"].startswith("text/html")
    assert version.NUMBER in person.content.decode()
    assert 'href="/admin/"' in person.content.decode()


@pytest.mark.usefixtures("_healthy")
def test_health_of_what_works(client):
    answer = client.get("/api/health")

    assert answer.status_code == 200
    assert {**answer.json(), "timestamp": "", "commit": ""} == {
        "status": "healthy",
        "timestamp": "",
        "version": version.NUMBER,
        "commit": "",
        "degraded": False,
        "issues": [],
    }


@pytest.mark.usefixtures("_healthy")
def test_health_without_database_answers_unhealthy_quickly(client, monkeypatch):
    monkeypatch.setattr(health, "_ask_database", away)
    began = time.monotonic()

    answer = client.get("/api/health")

    assert time.monotonic() - began < 3
    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
    assert answer.json()["issues"][0]["code"] == "database_failing"


@pytest.mark.usefixtures("_healthy")
def test_health_that_is_degraded_still_answers_200(client, monkeypatch):
    monkeypatch.setattr(health, "DISK_LOW_BYTES", 2**62)

    answer = client.get("/api/health")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


@pytest.mark.usefixtures("_healthy")
def test_ready_tells_each_dependency_with_its_time(client, monkeypatch):
    answer = client.get("/health/ready")

    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert set(answer.json()["checks"]["database"]) == {"ok", "ms", "detail"}
    monkeypatch.setattr(health, "_ask_database", away)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "not_ready")
    assert answer.json()["checks"]["database"]["ok"] is False


@pytest.mark.usefixtures("_healthy")
def test_ready_does_not_wait_for_beat_alone(client, monkeypatch):
    from project.core.models import ProcessHeartbeat

    ProcessHeartbeat.objects.filter(role=Role.BEAT).delete()
    assert client.get("/health/ready").status_code == 200
    ProcessHeartbeat.objects.all().delete()
    assert client.get("/health/ready").status_code == 503


def test_live_and_health_lead_on(client, monkeypatch):
    assert client.get("/health/live").json() == {"status": "alive"}
    answer = client.get("/health")
    assert (answer.status_code, answer["Location"]) == (302, "/api/health")
