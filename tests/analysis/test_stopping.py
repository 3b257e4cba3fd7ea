"""A cancel stops a worker process within seconds, whatever call it waits for; what was found stays."""

import time
from typing import Any

import pytest
from django.utils import timezone

from analysis import jobs, submitting
from analysis.choices import Phase
from project.core.callers import Caller
from tests.analysis.doing import Outside
from tests.analysis.test_killed import URL, working_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
#: What A-6 promises on a machine that is not overloaded; the figure is written down.
PROMISED_S = 2.0
AT_MOST_S = 30.0


@pytest.mark.parametrize("phase", [Phase.SUMMARY, Phase.GEOCODE])
def test_a_canceled_worker_stops(
    phase: str, caller: Caller, outside: Outside, record_property: Any
):
    job = submitting.of_url(URL, by=caller, now=timezone.now()).job
    assert job.run is not None
    with working_in(phase, job.run) as process:
        began_s = time.monotonic()
        jobs.cancel(job, by=caller, now=timezone.now())
        while job.run.status != "canceled" and time.monotonic() - began_s < AT_MOST_S:
            time.sleep(0.02)
            job.run.refresh_from_db()
        took_s = time.monotonic() - began_s
        assert process.wait(AT_MOST_S) == 0

    record_property(f"a cancel in {phase} took s (promised {PROMISED_S:g})", round(took_s, 2))
    assert (job.run.status, job.run.phase) == ("canceled", phase)
    job.refresh_from_db()
    assert job.status == "canceled"
