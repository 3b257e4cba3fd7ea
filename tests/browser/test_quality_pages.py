"""The pages of quality, failures, alerts and collectors, in a real browser: clean, narrow, legible."""

import random
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from markets.models import QualitySummary
from markets.scoring import calculate_quality_score
from project.core.moments import to_ms
from tests.browser.test_pages import is_narrow
from tests.markets.factories import (
    make_alert,
    make_api_error_log,
    make_collector_config,
    make_finding,
    make_gap,
    make_quality_summary,
    make_series,
)

DAY = 86_400_000
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "VERYLONGNAME/USDT", "ICX/BTC")


def fill() -> QualitySummary:
    """Make a month of days of five series, two days of failures, alerts and findings."""
    chance, now = random.Random(7), timezone.now()
    today, last = to_ms(now) // DAY * DAY, None
    for number, symbol in enumerate(SYMBOLS):
        series = make_series(symbol)
        for back in range(28 - 2 * number):
            missing = chance.choice([0, 0, 0, 0, 3, 30, 200, 900]) if number != 1 else 0
            counts = {"missing": missing, "price_jumps": chance.choice([0, 0, 0, 2])}
            last = make_quality_summary(
                series,
                start_ms=today - back * DAY,
                end_ms=today - back * DAY + DAY,
                expected=1440,
                stored=1440 - missing,
                score=calculate_quality_score(counts, expected=1440),
                **counts,
            )
    series = make_series("SOL/USDT")
    make_gap(series, today, today + 60_000 * 30)
    make_finding(series, start_ms=today, detail={"move_percent": 31.2, "usual_percent": 0.4})
    classes = ("network", "timeout", "rate_limit", "exchange", "bad_response", "proxy")
    for _ in range(160):
        at = now - timedelta(minutes=chance.expovariate(1 / 400))
        make_api_error_log(happened_at=at, error_class=chance.choice(classes), message="no answer")
    make_alert(message="timeout: no answer within 10 s")
    make_alert(message="banned until 12:00", error_class="rate_limit", closed_at=now)
    assert last is not None
    return last


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_pages_open_clean_and_fit(open_page, tmp_path_factory, look):
    folder = Path(tmp_path_factory.getbasetemp()) / "pictures"
    folder.mkdir(exist_ok=True)
    day = fill()
    collector = make_collector_config(start_at=timezone.now() - timedelta(days=9))
    page = open_page(dark=look == "dark", phone=look == "phone")
    places = {
        "quality-report": reverse("admin:markets_qualitysummary_report") + "?hours=168",
        "quality-series": reverse("admin:markets_qualitysummary_series", args=[day.series_id])
        + "?hours=720",
        "quality-day": reverse("admin:markets_qualitysummary_change", args=[day.pk]),
        "quality-days": reverse("admin:markets_qualitysummary_changelist"),
        "errors": reverse("admin:markets_apierrorlog_changelist"),
        "alerts": reverse("admin:markets_alert_changelist"),
        "findings": reverse("admin:markets_finding_changelist"),
        "collector-plan": reverse("admin:markets_collectorconfig_next_cycle", args=[collector.pk]),
        "collector-import": reverse("admin:markets_collectorconfig_import_files"),
    }

    for name, path in places.items():
        page.goto(path)
        expect(page.locator("#content-main, .mr-board").first).to_be_visible()
        page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
        assert is_narrow(page), name


def test_a_cell_of_the_heat_map_leads_to_why(open_page):
    fill()
    page = open_page(reverse("admin:markets_qualitysummary_report") + "?hours=720")

    page.locator("a.mr-cell[data-level='4'], a.mr-cell[data-level='5']").first.click()

    expect(page.get_by_text("Left of 100")).to_be_visible()
    expect(page.locator(".mr-why")).to_contain_text("missing")


def test_collector_files_are_previewed_and_taken(open_page):
    page = open_page(reverse("admin:markets_collectorconfig_changelist"))
    page.get_by_text("Import files").first.click()

    page.locator("textarea[name='text']").fill("name: mine\nexchange: {id: binance}\nsymbols: []\n")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_text("pasted.yml, line 3, symbols")).to_be_visible()
    text = "name: mine\nexchange: {id: binance}\nsymbols: [{symbol: BTC/USDT, timeframes: [1m]}]\n"
    page.locator("textarea[name='text']").fill(text)
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_text("New series: binance:BTC/USDT 1m")).to_be_visible()
    page.get_by_role("button", name="Take 1 change").click()

    expect(page.get_by_text("Made 1 collector(s)")).to_be_visible()


def test_an_alert_is_taken_care_of_through_its_dialog(open_page):
    alert = make_alert()
    page = open_page(reverse("admin:markets_alert_change", args=[alert.pk]))

    page.get_by_role("link", name="I take care").or_(
        page.get_by_role("button", name="I take care")
    ).first.click()
    page.locator("#dialog").get_by_role("button", name="I take care").click()

    expect(page.get_by_text("You take care of it.")).to_be_visible()
    alert.refresh_from_db()
    assert alert.seen_by
