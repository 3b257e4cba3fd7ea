"""Staff pages of quality: the report, the heat map, and why a day has its score."""

import pytest
from django.urls import reverse
from django.utils import timezone

from project.core.moments import to_ms
from tests.markets.factories import make_finding, make_gap, make_quality_summary, make_series

DAY = 86_400_000
pytestmark = pytest.mark.django_db
REPORT = "admin:markets_qualitysummary_report"


def today():
    return to_ms(timezone.now()) // DAY * DAY


def score(symbol, points, **fields):
    facts = {"start_ms": today(), "end_ms": today() + DAY, "expected": 1440, **fields}
    return make_quality_summary(make_series(symbol), score=points, **facts)


def test_the_report_is_worst_first_with_its_heat_map(admin_client):
    score("GOOD/USDT", 100.0)
    bad = score("BAD/USDT", 42.0, missing=835)

    page = admin_client.get(reverse(REPORT), {"hours": 72}).content.decode()

    assert page.index("binance:BAD/USDT 1m") < page.index("binance:GOOD/USDT 1m")
    assert 'data-level="5"' in page
    assert reverse("admin:markets_qualitysummary_change", args=[bad.pk]) in page
    assert page.count('class="mr-cell"') == 60


def test_the_report_without_days_says_so(admin_client):
    assert "No series has a day" in admin_client.get(reverse(REPORT)).content.decode()


def test_the_report_costs_the_same_for_any_number_of_series(
    admin_client, django_assert_max_num_queries
):
    for number in range(12):
        score(f"C{number}/USDT", 90.0)
    admin_client.get(reverse(REPORT))

    with django_assert_max_num_queries(25):
        admin_client.get(reverse(REPORT))


def test_a_day_explains_its_score(admin_client):
    day = score("BAD/USDT", 89.7, missing=144, price_jumps=16)
    finding = make_finding(day.series, start_ms=day.start_ms)

    page = admin_client.get(reverse("admin:markets_qualitysummary_change", args=[day.pk]))
    text = page.content.decode()

    assert "10.000 %" in text
    assert "90.000" in text
    assert reverse("admin:markets_finding_change", args=[finding.pk]) in text


def test_a_series_explains_its_score(admin_client):
    day = score("BAD/USDT", 90.0, missing=144)
    make_gap(day.series)
    make_finding(day.series)

    page = admin_client.get(reverse("admin:markets_qualitysummary_series", args=[day.series_id]))
    text = page.content.decode()

    assert "90.00" in text
    assert "144 missing" in text
    assert "Longest gaps" in text
    assert "Latest findings" in text


def test_an_unknown_series_is_not_found(admin_client):
    address = reverse("admin:markets_qualitysummary_series", args=[999_999])

    assert admin_client.get(address).status_code == 404


def test_staff_settle_a_finding(admin_client):
    finding = make_finding()
    address = reverse("admin:markets_finding_settle", args=[finding.pk])

    admin_client.post(address, {"_form_submitted": "True", "note": "a real crash"})

    finding.refresh_from_db()
    assert (finding.note, bool(finding.settled_by)) == ("a real crash", True)
