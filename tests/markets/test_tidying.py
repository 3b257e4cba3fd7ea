"""What of the past is dropped, and when."""

from datetime import timedelta

import pytest
from django.utils import timezone

from markets.models import Alert, ApiErrorLog, BackfillTask, Finding, Gap
from project.core import runs
from project.core.callers import SYSTEM
from tests.markets import doing
from tests.markets.factories import (
    make_alert,
    make_api_error_log,
    make_backfill_task,
    make_finding,
    make_gap,
)


@pytest.mark.django_db(transaction=True)
def test_a_clean_up_drops_what_is_old_and_nothing_else():
    now = timezone.now()
    long_ago, lately = now - timedelta(days=400), now - timedelta(days=5)
    for at in (long_ago, lately):
        make_backfill_task(status="completed", ended_at=at)
        make_backfill_task(status="failed", ended_at=at)
        make_gap(state="closed", closed_at=at)
        make_alert(closed_at=at)
        make_finding(last_seen_at=at)
        make_api_error_log(happened_at=at)
    make_finding(last_seen_at=long_ago, settled_at=long_ago, settled_by="ann")
    make_backfill_task(created_at=long_ago)
    make_gap(found_at=long_ago)
    make_alert(began_at=long_ago)

    run = doing.execute(runs.submit(runs.Ask(kind="markets.clean_up"), by=SYSTEM, now=now))

    assert (run.status, run.counts) == (
        "done",
        {"errors": 1, "uploads": 0, "tasks": 2, "gaps": 1, "alerts": 1, "findings": 1},
    )
    left = [model.objects.count() for model in (BackfillTask, Gap, Alert, Finding, ApiErrorLog)]
    assert left == [3, 2, 2, 2, 1]
