"""Staff pages of failures and alerts."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.markets.factories import make_alert, make_api_error_log

pytestmark = pytest.mark.django_db
LOG = "admin:markets_apierrorlog_changelist"


def test_the_log_is_searched_and_filtered_below_its_chart(admin_client):
    now = timezone.now()
    make_api_error_log(happened_at=now, message="certificate has expired", error_class="network")
    make_api_error_log(happened_at=now - timedelta(days=2), market="ETH/USDT")

    whole = admin_client.get(reverse(LOG)).content.decode()
    found = admin_client.get(reverse(LOG), {"q": "certificate", "span": "72"}).content.decode()
    late = admin_client.get(reverse(LOG), {"lately": "1"}).content.decode()

    assert "Failures by class" in whole
    assert "ETH/USDT" in whole
    assert "certificate has expired" in found
    assert "ETH/USDT" not in found
    assert found.count("<rect") == 2
    assert whole.count("<rect") == 1
    assert "ETH/USDT" not in late


def test_staff_take_care_of_an_alert(admin_client):
    alert = make_alert()
    address = reverse("admin:markets_alert_take_care", args=[alert.pk])

    admin_client.post(address, {"_form_submitted": "True"})

    alert.refresh_from_db()
    assert alert.seen_by
    assert alert.seen_at is not None


def test_alerts_are_told_by_state(admin_client):
    now = timezone.now()
    make_alert(message="the open one")
    make_alert(message="the closed one", closed_at=now)
    make_alert(message="the counting one", raised_at=None, failures=1)

    def shown(state):
        page = admin_client.get(reverse("admin:markets_alert_changelist"), {"state": state})
        text = page.content.decode()
        return [name for name in ("open", "closed", "counting") if f"the {name} one" in text]

    assert [shown(state) for state in ("open", "closed", "counting")] == [
        ["open"],
        ["closed"],
        ["counting"],
    ]


def test_an_open_alert_is_an_issue(admin_client):
    from project.core import issues

    make_alert(failures=7)

    found = [one for one in issues.current(now=timezone.now()) if one.code == "collecting_alert"]

    assert len(found) == 1
    assert "failed 7 times in a row" in found[0].text
    assert admin_client.get(found[0].url).status_code == 200
