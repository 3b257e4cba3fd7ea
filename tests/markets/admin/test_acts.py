"""What staff do with chosen rows, and with one: each deed is done, told, and done once."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from markets.models import Alert, AuditDifference, Candle, Finding, Market
from project.core.models import Run
from tests.markets.factories import (
    NOW,
    START_MS,
    make_alert,
    make_audit_difference,
    make_candles,
    make_collector_config,
    make_exchange,
    make_finding,
    make_rate_budget,
    make_series,
)

pytestmark = pytest.mark.django_db
AGREED = {"_agreed": "yes"}
SENT = {"_form_submitted": "True"}


def choose(client, model, act, rows, **more):
    """Do an act on chosen rows; return what was said."""
    address = reverse(f"admin:markets_{model}_changelist")
    chosen = {"action": act, "_selected_action": [row.pk for row in rows], **AGREED, **more}
    answer = client.post(address, chosen)
    return [str(one) for one in get_messages(answer.wsgi_request)]


def test_chosen_differences_are_repaired_where_nothing_changed_since(admin_client):
    series = make_series("BTC/USDT")
    make_candles(series, 2)
    old = {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.5, "volume": 10.0}
    good = make_audit_difference(
        series, open_time=START_MS, stored=old, told={**old, "close": 100.75}
    )
    outdated = make_audit_difference(series, open_time=START_MS + 60_000)

    said = choose(admin_client, "auditdifference", "repair_chosen", [good, outdated])

    assert Candle.objects.get(open_time=START_MS).close == 100.75
    states = dict(AuditDifference.objects.values_list("pk", "state"))
    assert states == {good.pk: "repaired", outdated.pk: "open"}
    assert any("1" in one and "epaired" in one for one in said)
    assert any("changed since" in one for one in said)


def test_chosen_differences_are_kept_as_stored(admin_client):
    rows = [make_audit_difference() for _ in range(2)]

    choose(admin_client, "auditdifference", "keep_chosen", rows)

    assert set(AuditDifference.objects.values_list("state", flat=True)) == {"kept"}


def test_one_difference_is_kept_from_its_page(admin_client):
    row = make_audit_difference()
    address = reverse("admin:markets_auditdifference_keep", args=[row.pk])

    admin_client.get(address)
    assert AuditDifference.objects.get().state == "open"
    admin_client.post(address, SENT)

    assert AuditDifference.objects.get().state == "kept"


def test_a_candle_that_would_be_forgotten_says_so(admin_client):
    row = make_audit_difference(told={}, kind="not_there")

    page = admin_client.get(reverse("admin:markets_auditdifference_change", args=[row.pk]))

    assert "The exchange has no such candle: it would be forgotten." in page.content.decode()


def test_chosen_findings_are_settled_and_count_again(admin_client):
    rows = [make_finding() for _ in range(2)]

    choose(admin_client, "finding", "settle_chosen", rows, note="a real crash")
    assert set(Finding.objects.values_list("note", flat=True)) == {"a real crash"}
    reopen = reverse("admin:markets_finding_reopen", args=[rows[0].pk])
    told = [
        [str(one) for one in get_messages(admin_client.post(reopen, SENT).wsgi_request)][-1]
        for _ in range(2)
    ]

    assert told == ["It counts again.", "It does count."]
    assert Finding.objects.filter(settled_at__isnull=True).count() == 1


def test_a_deed_on_a_row_that_is_gone_is_not_found(admin_client):
    names = ("finding_settle", "finding_reopen", "alert_take_care", "gap_mark")

    found = [
        admin_client.post(
            reverse(f"admin:markets_{name}", args=[4711]), {**SENT, "note": "x"}
        ).status_code
        for name in (*names, "auditdifference_keep", "collectorconfig_run_now")
    ]

    assert found == [404] * len(found)


def test_chosen_alerts_are_taken_care_of(admin_client):
    rows = [make_alert() for _ in range(2)]

    choose(admin_client, "alert", "care_for_chosen", rows)

    assert Alert.objects.filter(seen_by__startswith="admin", seen_at__isnull=False).count() == 2


def test_lists_of_markets_are_asked_for_where_a_collector_tells_how(admin_client):
    collector = make_collector_config(name="known")
    lonely = make_exchange("kraken")

    said = choose(admin_client, "exchange", "read_markets", [collector.exchange, lonely])

    assert [run.subject for run in Run.objects.filter(kind="markets.discover")] == ["binance"]
    assert any("kraken has no collector" in one for one in said)


def test_an_exchange_says_what_it_allows_and_who_said_so(admin_client):
    told = make_exchange("binance")
    told.rate_limits = [{"units": 1200.0, "per_s": 60.0, "by_weight": True}]
    told.save()
    make_exchange("okx")

    page = admin_client.get(reverse("admin:markets_exchange_changelist")).content.decode()

    assert "1,200 weight in 60 s (told by the exchange)" in page
    assert "9.1 weight a second (as ccxt knows)" in page


def test_a_budget_says_what_was_counted_and_until_when_it_is_busy(admin_client):
    row = make_rate_budget(
        used=5400, used_limit=6000, used_at=NOW, next_slot_us=int(NOW.timestamp() * 1e6)
    )

    page = admin_client.get(reverse("admin:markets_ratebudget_change", args=[row.pk]))

    assert "5,400 of 6,000 at 12:00:00" in page.content.decode()
    assert "2026-03-01 12:00" in page.content.decode()


@pytest.mark.parametrize(
    ("act", "kind"),
    [("collect_now", "collect"), ("check_quality", "quality"), ("audit_now", "audit")],
)
def test_a_market_is_worked_on_from_its_page(admin_client, act, kind):
    market = make_series("BTC/USDT").market
    Market.objects.update(enabled=True)
    make_collector_config()
    address = reverse(f"admin:markets_market_{act}", args=[market.pk])

    admin_client.get(address)
    assert not Run.objects.exists()
    admin_client.post(address, SENT)
    answer = admin_client.post(address, SENT)  # it is under way: told, not done twice

    assert [run.kind for run in Run.objects.all()] == [f"markets.{kind}"]
    assert len(list(get_messages(answer.wsgi_request))) > 0
