"""Figures and issues on the front page."""

from datetime import timedelta

import pytest
from django.test import Client

from markets import dashboard
from markets.models import RateBudget
from project.core import figures, issues
from tests.markets.factories import (
    NOW,
    make_backfill_task,
    make_collector_config,
    make_gap,
    make_series,
)

pytestmark = pytest.mark.django_db


def codes():
    return [(one.code, one.severity) for one in dashboard.issues_of_markets(NOW)]


def test_nothing_wrong_is_no_issue():
    make_series()

    assert codes() == []


def test_figures_tell_series_gaps_and_tasks(admin_client: Client):
    make_series(collected_at=NOW)
    make_gap(state="unavailable")
    make_gap()
    make_backfill_task(status="failed", ended_at=NOW)

    found = {one.name: one for one in dashboard.figures_of_markets(NOW)}

    assert found["series_collected"].value == "4"
    assert found["series_collected"].hint == "1 in the last 5 min · 0 failing"
    assert (found["gaps_open"].value, found["gaps_open"].tone) == ("1", "warning")
    assert found["backfill_tasks"].hint == "0 running · 1 failed"
    for figure in found.values():
        assert admin_client.get(figure.url).status_code == 200


def test_issues_lead_to_lists_that_open(admin_client: Client):
    make_series(failures=3, last_error="timeout: no answer")
    make_gap(found_at=NOW - timedelta(hours=7))
    make_backfill_task(status="failed", ended_at=NOW)
    make_collector_config()
    RateBudget.objects.create(
        exchange="binance", egress="direct", blocked_until=NOW + timedelta(minutes=5)
    )

    found = dashboard.issues_of_markets(NOW)

    assert sorted(one.code for one in found) == [
        "backfill_failed",
        "collecting_fails",
        "exchange_blocks_us",
        "gap_not_repaired",
    ]
    for issue in found:
        assert admin_client.get(issue.url).status_code == 200


def test_collecting_that_fails_everywhere_is_red():
    make_series(failures=5, last_error="timeout")

    assert codes() == [("collecting_fails", "red")]


def test_the_floor_asks_us():
    assert "gaps_open" in {one.name for one in figures.current(now=NOW)}
    assert issues.current(now=NOW) is not None
