"""Staff pages of markets: the chart's feed, and deeds by POST only."""

import pytest
from django.urls import reverse
from django.utils import timezone

from markets.models import BackfillTask, Gap, Market
from markets.timeframes import DAY_MS
from project.core.models import Run
from project.core.moments import from_ms
from tests.markets.factories import (
    NOW,
    START_MS,
    make_candles,
    make_collector_config,
    make_finding,
    make_gap,
    make_market,
    make_quality_summary,
    make_series,
)

pytestmark = pytest.mark.django_db
AGREED = {"_agreed": "yes"}
DEEDS = ["collect_now", "check_quality", "backfill_gaps", "backfill_range"]


def page(market):
    return reverse("admin:markets_market_change", args=[market.pk])


def feed(market):
    return reverse("admin:markets_market_chart", args=[market.pk])


def test_the_feed_answers_staff(admin_client):
    series = make_series("BTC/USDT")
    make_candles(series, 5, without=(2,))

    found = admin_client.get(feed(series.market), {"timeframe": "1m", "limit": "3"})

    assert found.status_code == 200
    assert [row[0] for row in found.json()["candles"]] == [START_MS + n * 60_000 for n in (1, 3, 4)]


@pytest.mark.parametrize(
    ("query", "status"), [({"limit": "0"}, 400), ({"timeframe": "7m"}, 400), ({}, 200)]
)
def test_the_feed_says_what_is_wrong(admin_client, query, status):
    assert admin_client.get(feed(make_series().market), query).status_code == status


def test_the_feed_of_an_unknown_market_is_not_found(admin_client):
    address = reverse("admin:markets_market_chart", args=[4711])

    assert admin_client.get(address).status_code == 404


def test_strangers_get_no_feed(client, django_user_model):
    market = make_series().market
    client.force_login(django_user_model.objects.create_user("someone@example.com"))

    assert client.get(feed(market)).status_code == 302


def test_staff_without_the_permission_get_no_feed(client, django_user_model):
    market = make_series().market
    staff = django_user_model.objects.create_user("clerk@example.com", is_staff=True)
    client.force_login(staff)

    assert client.get(feed(market)).status_code == 403


def test_the_page_opens_with_its_chart(admin_client):
    series = make_series("BTC/USDT")
    make_candles(series, 5)

    found = admin_client.get(page(series.market))

    assert found.status_code == 200
    assert feed(series.market) in found.content.decode()
    assert found.context["timeframes"] == ["1m"]


def test_the_page_tells_scores_over_time_and_findings(admin_client, django_assert_max_num_queries):
    series = make_series("BTC/USDT")
    make_candles(series, 5)
    bare = make_series("BTC/USDT", "1h")
    now_ms = int(timezone.now().timestamp() * 1000)
    today = now_ms // DAY_MS * DAY_MS
    for back, score in ((0, 100.0), (1, 60.0)):
        day = today - back * DAY_MS
        make_quality_summary(
            series=series, start_ms=day, end_ms=day + DAY_MS, expected=10, score=score
        )
    odd = make_finding(series, kind="stalled", count=12)
    make_finding(
        series, kind="duplicate", start_ms=START_MS + 60_000, settled_at=NOW, settled_by="ann"
    )

    with django_assert_max_num_queries(24):
        found = admin_client.get(page(series.market))

    text, trends = found.content.decode(), dict(found.context["trends"])
    assert [day.level for day in trends[series].days[-2:]] == [4, 0]
    assert (trends[series].mean, trends[series].worst) == (80.0, 60.0)
    assert trends[bare].mean is None
    assert "no day was counted yet" in text
    assert f"{from_ms(today):%Y-%m-%d}: 100.00, 0 missing" in text
    assert [one.pk for one, _, _ in found.context["findings"]] == [odd.pk]
    assert found.context["found"] == [("Stalled feed", 1)]


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_by_get_changes_nothing(admin_client, deed):
    make_collector_config()
    series = make_series("BTC/USDT")
    make_gap(series)

    answer = admin_client.get(reverse(f"admin:markets_market_{deed}", args=[series.market_id]))

    assert answer.status_code == 200
    assert not Run.objects.exists()
    assert not BackfillTask.objects.exists()
    assert Gap.objects.get().state == "open"


@pytest.mark.parametrize(
    ("deed", "kind", "extra"),
    [
        ("collect_now", "markets.collect", {}),
        ("check_quality", "markets.quality", {}),
        ("backfill_gaps", "markets.backfill", {}),
        (
            "backfill_range",
            "markets.backfill",
            {
                "timeframe": "1m",
                "start_0": "2026-01-05",
                "start_1": "00:00:00",
                "end_0": "2026-01-05",
                "end_1": "01:00:00",
            },
        ),
    ],
)
def test_a_deed_by_post_asks_for_a_run(admin_client, deed, kind, extra):
    make_collector_config()
    series = make_series("BTC/USDT")
    make_gap(series, next_look_at=NOW.replace(year=2100))
    address = reverse(f"admin:markets_market_{deed}", args=[series.market_id])

    answer = admin_client.post(address, {"_form_submitted": "True", **extra})

    assert answer.status_code == 302
    assert [run.kind for run in Run.objects.all()] == [kind]


def test_markets_are_enabled_and_disabled_from_the_list(admin_client):
    one, two = make_market(enabled=False), make_market(enabled=False)
    url = reverse("admin:markets_market_changelist")

    admin_client.post(url, {"action": "enable", "_selected_action": [one.pk], **AGREED})

    assert dict(Market.objects.values_list("pk", "enabled")) == {one.pk: True, two.pk: False}
    admin_client.post(url, {"action": "disable", "_selected_action": [one.pk, two.pk], **AGREED})
    assert not Market.objects.filter(enabled=True).exists()


NO_KEYS = ["abc", "-1", "1.5", "9" * 20, "9" * 5000, "\u0665"]


def test_an_address_with_no_key_is_not_found(admin_client):
    addresses = ("market/{}/backfill-range/", "collectorconfig/{}/next-cycle/")

    found = [
        admin_client.get(f"/admin/markets/{address.format(key)}").status_code
        for address in (*addresses, "collectorconfig/{}/file/")
        for key in NO_KEYS
    ]

    assert found == [404] * len(found)


def test_numbers_of_the_chart_are_checked(admin_client):
    address = feed(make_series("BTC/USDT").market)

    found = [
        admin_client.get(address, {name: value}).status_code
        for name in ("before", "limit")
        for value in NO_KEYS
    ]

    assert found == [400] * len(found)
