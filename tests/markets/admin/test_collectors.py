"""Staff pages of collectors."""

import pytest
import yaml
from django.urls import reverse

from markets.models import CollectorConfig, Series
from project.core.models import Run
from tests.markets.factories import make_collector_config, make_exchange

pytestmark = pytest.mark.django_db


def form(**changes):
    facts = {
        "name": "mine",
        "enabled": "on",
        "exchange": make_exchange("binance").pk,
        "symbols": '[{"symbol": "BTC/USDT", "timeframes": ["1m"]}]',
        "mode": "incremental",
        "request_limit": 1000,
        "concurrency": 4,
        "timeout_s": 10,
        "egress": "direct",
        "rate_requests": 1200,
        "rate_per_s": 60,
        "retry_attempts": 5,
        "retry_base_s": 1,
        "retry_max_s": 60,
        "validation_policy": "skip_and_log",
        "price_jump_mad": 12,
        "rest_url": "${BINANCE_REST:}",
        "ws_url": "",
    }
    return {**facts, **changes}


def test_a_collector_is_made_with_its_series(admin_client):
    answer = admin_client.post(reverse("admin:markets_collectorconfig_add"), form())

    assert answer.status_code == 302
    assert CollectorConfig.objects.get().rest_url == "${BINANCE_REST:}"
    assert str(Series.objects.get()) == "binance:BTC/USDT 1m"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"symbols": '[{"symbol": "BTC/USDT", "timeframes": ["7m"]}]'}, "is none of 1s, 1m"),
        ({"symbols": '{"a": 1}'}, "symbols: input should be a valid list"),
        ({"rest_url": "file:///etc/passwd"}, "expected a URL"),
        ({"retry_max_s": 0.5}, "max_s must not be below base_s"),
        ({"request_limit": 1}, "request.limit"),
        ({"mode": "range"}, "mode range needs start and end"),
    ],
)
def test_a_collector_that_no_file_could_describe_is_refused(admin_client, changes, message):
    answer = admin_client.post(reverse("admin:markets_collectorconfig_add"), form(**changes))

    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert not CollectorConfig.objects.exists()


def test_a_collector_is_run_by_post_only(admin_client):
    collector = make_collector_config()
    address = reverse("admin:markets_collectorconfig_run_now", args=[collector.pk])

    admin_client.get(address)
    assert not Run.objects.exists()
    admin_client.post(address, {"_form_submitted": "True"})

    assert Run.objects.get().payload == {"collector_id": collector.pk}


def test_chosen_collectors_are_run(admin_client):
    made = [make_collector_config().pk for _ in range(2)]
    url = reverse("admin:markets_collectorconfig_changelist")

    admin_client.post(url, {"action": "run_chosen", "_selected_action": made})

    assert Run.objects.count() == 2


def test_a_collector_is_downloaded_as_a_file(admin_client):
    collector = make_collector_config("mine")

    answer = admin_client.get(reverse("admin:markets_collectorconfig_file", args=[collector.pk]))

    assert answer["Content-Disposition"] == 'attachment; filename="mine.yml"'
    assert yaml.safe_load(answer.content)["name"] == "mine"
