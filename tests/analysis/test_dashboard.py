from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from analysis import dashboard
from analysis.models import Job
from tests.analysis.factories import make_analysis, make_failure, make_job, make_place
from tests.factories import make_run

pytestmark = pytest.mark.django_db


def figure(name: str) -> Any:
    found = {one.name: one for one in dashboard.figures_of_analysis(timezone.now())}
    return found[name]


def test_an_empty_installation():
    assert (figure("videos_at_work").value, figure("places_located").value) == ("0", "—")
    assert dashboard.issues_of_analysis(timezone.now()) == []


def test_figures():
    analysis, now = make_analysis(outcome="partial"), timezone.now()
    make_place(analysis=analysis)
    make_failure(analysis=analysis)
    job = make_job()
    Job.objects.filter(pk=job.pk).update(final_status="failed", ended_at=now)

    assert figure("videos_at_work").hint == "1 waiting · 1 ended in 24 h · 1 failed · 0 partial"
    assert (figure("places_located").value, figure("places_located").hint) == (
        "50 %",
        "1 of 2 named in 24 h",
    )


def test_failures_in_a_row_are_an_issue_until_one_succeeds():
    now = timezone.now()
    for number in range(dashboard.FAILS_IN_A_ROW):
        ended = now - timedelta(minutes=number)
        fields = {"error_type": "transient", "error_message": "site away", "ended_at": ended}
        make_run(kind="analysis.job", status="failed", **fields)

    (issue,) = dashboard.issues_of_analysis(now)
    assert (issue.code, "site away" in issue.text) == ("analyses_fail", True)
    make_run(kind="analysis.job", status="done", ended_at=now + timedelta(seconds=1))
    assert dashboard.issues_of_analysis(now + timedelta(seconds=2)) == []


def test_videos_that_can_not_be_analysed_are_no_issue():
    for _ in range(9):
        make_run(kind="analysis.job", status="failed", error_type="deterministic")

    assert dashboard.issues_of_analysis(timezone.now()) == []


def test_work_that_waits_for_long_is_an_issue_but_not_what_waits_for_its_turn():
    now = timezone.now()
    long_ago = now - timedelta(hours=1)
    make_run(kind="analysis.job", now=long_ago, next_try_at=now + timedelta(hours=5))
    assert dashboard.issues_of_analysis(now) == []
    make_run(kind="analysis.job", now=long_ago)

    (issue,) = dashboard.issues_of_analysis(now)
    assert issue.code == "analyses_wait"
