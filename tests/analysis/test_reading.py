from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analysis import amending, jobs, reading
from analysis.models import Analysis, Job
from project.core.callers import SYSTEM, Caller
from project.core.models import Run
from tests.analysis.factories import (
    make_analysis,
    make_correction,
    make_failure,
    make_job,
    make_place,
    make_strategy,
    make_video,
)
from tests.factories import make_staff, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty() -> None:
    cache.clear()


def result(**fields: Any) -> Analysis:
    analysis = make_analysis(**{"outcome": "partial", "failures_at": timezone.now(), **fields})
    make_place(analysis=analysis)
    make_failure(analysis=analysis)
    return analysis


def test_the_latest_result_is_the_one_that_is_meant():
    video, now = make_video(video_id="one"), timezone.now()
    first = result(video=video, finished_at=now - timedelta(days=1))
    second = result(video=video, strategy=make_strategy(model="m"), finished_at=now)
    make_analysis(video=video, strategy=make_strategy(model="n"))

    def found(strategy: str = "") -> Analysis:
        return reading.analysis_of("one", strategy=strategy, by=SYSTEM)

    assert found() == second
    assert found(first.strategy_hash) == first
    assert found(second.strategy.name) == second
    with pytest.raises(reading.VideoNotFoundError):
        found("00000000")


def test_a_video_is_there_for_those_who_asked_for_it():
    analysis, mine = result(), Caller(user_id=make_user().pk)
    video_id = analysis.video.video_id

    with pytest.raises(reading.VideoNotFoundError):
        reading.analysis_of(video_id, by=mine)
    make_job(analysis=analysis, owner_id=mine.user_id)

    assert reading.analysis_of(video_id, by=mine) == analysis


def test_results_are_cached_and_a_new_result_is_seen_at_once():
    analysis = result()
    reading.locations(analysis, by=SYSTEM)
    reading.failures(analysis, by=SYSTEM)

    with CaptureQueriesContext(connection) as warm:
        reading.failures(analysis, by=SYSTEM)
        found = reading.locations(analysis, by=SYSTEM)
    make_place(analysis=analysis, n=7)
    analysis.finished_at = analysis.failures_at = timezone.now() + timedelta(seconds=1)
    analysis.failures.all().delete()

    assert len(warm) == 2  # the corrections, for each
    assert len(found["routes"]) == 1
    assert len(reading.locations(analysis, by=SYSTEM)["routes"]) == 2
    assert reading.failures(analysis, by=SYSTEM)["failed"] == []


def test_without_a_result_there_is_what_was_found_so_far():
    analysis = make_analysis()
    make_place(analysis=analysis, n=1)
    assert len(reading.locations(analysis, by=SYSTEM)["routes"]) == 1
    make_place(analysis=analysis, n=2)

    assert len(reading.locations(analysis, by=SYSTEM)["routes"]) == 2


def test_an_ended_job_is_cached_but_not_while_a_retry_works():
    analysis, now = result(), timezone.now()
    job = make_job(analysis=analysis)
    Job.objects.filter(pk=job.pk).update(final_status="partial", ended_at=now)
    Run.objects.filter(jobs=job).update(status="partial", ended_at=now)

    def located() -> Any:
        return reading.job_state(jobs.find(job.pk, by=SYSTEM))["stats"]["places_located"]

    assert located() == 1
    make_place(analysis=analysis, n=8)
    assert located() == 1
    make_job(analysis=analysis)  # a retry begins
    assert located() == 2


def test_lists_cost_one_query_for_any_number_of_jobs():
    for _ in range(3):
        make_job(analysis=result())

    with CaptureQueriesContext(connection) as found:
        listed = [reading.listed_job(job) for job in jobs.with_all(counted=True)]

    assert len(found) == 1
    assert [one["metrics"]["locations_found"] for one in listed] == [1, 1, 1]
    assert {one["status"] for one in listed} == {"queued"}


def test_what_an_owner_has_located_is_on_the_owners_map_alone():
    analysis = make_analysis(outcome="partial")
    make_failure(analysis=analysis, n=2)
    owner = make_user()
    make_correction(
        video=analysis.video, raw="atlantis", longitude=-31.0, latitude=38.5, made_by=owner
    )
    theirs, strangers = Caller(user_id=owner.pk), Caller(user_id=make_user().pk)

    (found,) = reading.locations(analysis, by=theirs)["routes"]

    assert (found["n"], found["location"], found["coordinates"]) == (2, "atlantis", [-31.0, 38.5])
    assert found["correction"]["by"] == str(owner)
    assert reading.failures(analysis, by=theirs)["failed"] == []
    assert reading.failures(analysis, by=theirs)["retryable"] is False
    assert reading.locations(analysis, by=strangers)["routes"] == []
    assert [one["raw"] for one in reading.failures(analysis, by=strangers)["failed"]] == [
        "atlantis"
    ]


def test_what_people_located_can_be_put_right_again():
    analysis = make_analysis(outcome="partial")
    make_failure(analysis=analysis, n=2)
    make_correction(video=analysis.video, raw="atlantis", for_everybody=True)
    staff = Caller(user_id=make_staff().pk, is_staff=True)

    wanted = amending.Wanted(coordinates=(-31.0, 38.5), name="Atlantis")
    shown = amending.correct(analysis, 2, wanted, by=staff, now=timezone.now())

    assert shown is not None
    (found,) = reading.locations(analysis, by=SYSTEM)["routes"]
    assert (found["location"], found["coordinates"]) == ("Atlantis", [-31.0, 38.5])
