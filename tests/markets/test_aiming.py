import pytest

from markets import aiming
from proxies import reaching
from proxies.models import CheckTarget
from tests.markets.factories import make_collector_config

pytestmark = pytest.mark.django_db


def test_enabled_collectors_that_may_leave_by_proxies_tell_their_sites(monkeypatch):
    monkeypatch.setenv("TOLD", "https://mirror.example.com/base")
    make_collector_config(egress="proxy_preferred", rest_url="")
    make_collector_config(egress="proxy_required", rest_url="${TOLD}", exchange_name="okx")
    make_collector_config(egress="proxy_required", rest_url="${NOT_TOLD}")
    make_collector_config(egress="proxy_required", rest_url="https://off.example", enabled=False)
    make_collector_config(egress="direct", rest_url="https://direct.example")

    assert set(aiming.sites()) == {
        "https://api.binance.com/api/v3/ping",
        "https://mirror.example.com/api/v5/public/time",
    }


def test_the_proxies_app_makes_targets_of_them():
    make_collector_config(egress="proxy_required", rest_url="https://api.other.example")

    reaching.seed()

    assert CheckTarget.objects.filter(url="https://api.other.example/api/v3/ping").exists()
