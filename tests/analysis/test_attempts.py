import logging
from typing import Any

import pytest
from django.db import transaction

from analysis.aside import Aside
from analysis.attempts import Attempt
from analysis.choices import Phase
from analysis.models import Analysis
from project.core import claims
from project.core.models import Run
from project.core.working import StopWorkError, Work
from tests.analysis.factories import make_job
from tests.factories import make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt() -> Attempt:
    job = make_job()
    assert job.run is not None
    from django.utils import timezone

    claim = claims.take(str(job.run.pk), limit_s=60, now=timezone.now())
    analysis = Analysis.objects.select_related("video").get(pk=job.analysis_id)
    return Attempt(Work(claim), analysis, Aside(lambda: None))


def written(attempt: Attempt) -> None:
    with attempt.held():
        Analysis.objects.filter(pk=attempt.analysis.pk).update(places_total=7)


def test_who_holds_the_analysis_may_write_it(attempt: Attempt):
    written(attempt)

    assert Analysis.objects.get().places_total == 7


@pytest.mark.parametrize("lost", ["another attempt", "another run", "deleted"])
def test_who_has_lost_it_writes_nothing(lost, attempt: Attempt):
    if lost == "another attempt":
        Run.objects.update(attempt=9)
    elif lost == "another run":
        Analysis.objects.update(run=make_run(kind="analysis.job"))
    else:
        Analysis.objects.all().delete()

    with pytest.raises(StopWorkError) as caught, transaction.atomic():
        written(attempt)

    assert caught.value.reason == "lost"
    assert not Analysis.objects.filter(places_total=7).exists()


def test_progress_is_that_of_the_whole_job(attempt: Attempt):
    attempt.report(Phase.COMPRESSION, 1, 2, segments=3)

    run = Run.objects.get()
    assert (run.phase, run.progress, run.counts) == ("compression", 22.5, {"segments": 3})


def test_a_log_line_says_what_the_contract_asks_for(attempt: Attempt, caplog: Any):
    caplog.set_level(logging.INFO)

    attempt.log("phase_finished", "summary", took_ms=5)

    (line,) = [record for record in caplog.records if record.message == "job event"]
    told = vars(line)
    assert told["job_id"] == str(attempt.work.run.pk)
    assert (told["phase"], told["event_type"], told["took_ms"]) == ("summary", "phase_finished", 5)
    assert told["elapsed_ms"] >= 0
