"""Probes and scrapers ask a process by its address; people by its name."""

import pytest
from django.test import AsyncClient, Client

from project.core import probing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_host(settings):
    settings.ALLOWED_HOSTS = ["millrace.example.com", "localhost"]


@pytest.mark.parametrize("path", sorted(probing.PATHS))
def test_probe_by_address_is_answered(path):
    answer = Client().get(path, headers={"host": "10.89.1.12:8000"})

    assert answer.status_code in ((200, 503) if path == "/health/ready" else (200,))
    assert b"10.89.1.12" not in answer.content


@pytest.mark.asyncio
async def test_probe_is_answered_by_an_asynchronous_server():
    answer = await AsyncClient().get("/health/live", headers={"host": "10.89.1.12:8000"})

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize("path", ["/", "/api/health", "/health", "/metrics/", "/admin/login/"])
def test_everything_else_keeps_to_its_hosts(path):
    strange, ours = (
        Client().get(path, headers={"host": host}).status_code
        for host in ("10.89.1.12:8000", "millrace.example.com")
    )

    assert strange == 400
    assert ours != 400


def test_metrics_that_are_closed_stay_closed(settings):
    settings.METRICS_PUBLIC = False

    assert Client().get("/metrics", headers={"host": "10.89.1.12:8000"}).status_code == 404
