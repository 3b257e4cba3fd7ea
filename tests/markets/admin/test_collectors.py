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
        "symbols": "BTC/USDT 1m",
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


def test_symbols_are_written_a_line_each_and_shown_so(admin_client):
    lines = "BTC/USDT 1m, 1h\n\n  ETH/USDT 1d \n"
    admin_client.post(reverse("admin:markets_collectorconfig_add"), form(symbols=lines))

    made = CollectorConfig.objects.get()
    page = admin_client.get(reverse("admin:markets_collectorconfig_change", args=[made.pk]))

    assert made.symbols == [
        {"symbol": "BTC/USDT", "timeframes": ["1m", "1h"]},
        {"symbol": "ETH/USDT", "timeframes": ["1d"]},
    ]
    assert "BTC/USDT 1m 1h\nETH/USDT 1d</textarea>" in page.content.decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"symbols": "BTC/USDT 7m"}, "is none of 1s, 1m"),
        ({"symbols": '[{"symbol": "BTC/USDT", "timeframes": ["7m"]}]'}, "is none of 1s, 1m"),
        ({"symbols": "BTCUSDT 1m"}, "symbols.0.symbol"),
        ({"symbols": "BTC/USDT"}, "symbols.0.timeframes"),
        ({"symbols": "[1, 2]"}, "symbols.0"),
        ({"symbols": "[1, 2"}, "no list in JSON"),
        ({"symbols": " \n "}, "This field is required"),
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

    admin_client.post(url, {"action": "run_chosen", "_selected_action": made, "_agreed": "yes"})

    assert Run.objects.count() == 2


def test_a_collector_is_downloaded_as_a_file(admin_client):
    collector = make_collector_config("mine")

    answer = admin_client.get(reverse("admin:markets_collectorconfig_file", args=[collector.pk]))

    assert answer["Content-Disposition"] == 'attachment; filename="mine.yml"'
    assert yaml.safe_load(answer.content)["name"] == "mine"


FILE = """name: mine
exchange: {id: binance}
symbols: [{symbol: BTC/USDT, timeframes: [1m]}]
"""
IMPORT = "admin:markets_collectorconfig_import_files"


def test_files_are_shown_before_they_are_taken(admin_client):
    shown = admin_client.post(reverse(IMPORT), {"text": FILE})

    assert shown.status_code == 200
    assert "New series: binance:BTC/USDT 1m" in shown.content.decode()
    assert not CollectorConfig.objects.exists()
    told = {"name": "pasted.yml", "content": FILE, "take": "1"}
    answer = admin_client.post(reverse(IMPORT), told, follow=True)

    assert "Made 1 collector(s), changed 0, 0 as they were." in answer.content.decode()
    assert CollectorConfig.objects.get().name == "mine"


def test_uploaded_files_are_read_together(admin_client):
    from django.core.files.uploadedfile import SimpleUploadedFile

    files = [
        SimpleUploadedFile("one.yml", FILE.encode()),
        SimpleUploadedFile("two.yml", FILE.replace("1m", "7m").replace("mine", "two").encode()),
    ]

    page = admin_client.post(reverse(IMPORT), {"uploads": files}).content.decode()

    assert "two.yml, line 3, symbols.0.timeframes" in page
    assert "Nothing is taken while a file is bad" in page
    assert 'name="take"' not in page


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"\xff\xfe", "expected text in UTF-8"), (b"x" * 200_001, "expected at most 200,000 bytes")],
)
def test_an_upload_that_is_no_text_is_refused(admin_client, content, problem):
    from django.core.files.uploadedfile import SimpleUploadedFile

    upload = SimpleUploadedFile("odd.yml", content)

    assert problem in admin_client.post(reverse(IMPORT), {"uploads": [upload]}).content.decode()


def test_a_bad_file_is_not_taken_even_when_asked_to(admin_client):
    told = {"name": "x.yml", "content": "nothing", "take": "1"}

    assert admin_client.post(reverse(IMPORT), told).status_code == 200
    assert not CollectorConfig.objects.exists()


def test_who_may_only_look_takes_no_files(client):
    from django.contrib.auth.models import Permission

    from tests.factories import make_staff

    staff = make_staff(is_superuser=False)
    staff.user_permissions.add(Permission.objects.get(codename="view_collectorconfig"))
    client.force_login(staff)

    assert client.post(reverse(IMPORT), {"text": FILE}).status_code == 403


def test_the_next_cycle_is_shown(admin_client):
    collector = make_collector_config(egress="proxy_required")
    address = reverse("admin:markets_collectorconfig_next_cycle", args=[collector.pk])

    page = admin_client.get(address).content.decode()

    assert "none is healthy: nothing would leave" in page
    assert "new: the cycle itself makes it first" in page
    assert not Run.objects.exists()
