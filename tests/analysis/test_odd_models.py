"""Whole jobs against a model that answers oddly over HTTP: each ends, says why, and loses nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from analysis import geocoding, jobs, reading, submitting
from analysis.geocoding.offline import OfflineGeocoder
from analysis.models import Job
from project import sandbox
from project.core.callers import Caller
from project.core.models import Run
from project.sandbox import Fault, FaultKind, Odd
from tests.analysis import doing
from tests.analysis.factories import make_strategy
from tests.analysis.gazetteers import entry, small

pytestmark = pytest.mark.django_db(transaction=True)
SPEECH = b"""1
00:00:01,000 --> 00:00:04,000
We land in Taipei and walk on.

2
00:00:05,000 --> 00:00:09,000
Then to Jiufen, above the sea.
"""
TRIES = 3


@pytest.fixture(scope="module")
def _world() -> Iterator[Any]:
    with sandbox.running() as world:
        yield world


@pytest.fixture
def model(_world: Any, settings: Any, monkeypatch: Any, tmp_path: Path) -> Any:
    """Return the model that strategies of its name ask; it knows two places of the map."""
    _world.llm.reset()
    cache.clear()
    settings.LLM_BASE_URL, settings.LLM_TIMEOUT_S = _world.llm.base_url, 20
    gazetteer = small(tmp_path / "g.sqlite3", entry("Taipei"), entry("Jiufen"))
    offline = OfflineGeocoder(lambda: gazetteer, ready=lambda _told: None)
    monkeypatch.setattr(geocoding, "geocoder_for", lambda _inputs: offline)
    return _world.llm


@pytest.fixture
def job(caller: Caller, model: Any) -> Job:
    """A job that asks the model."""
    strategy = make_strategy(model="sandbox-1").name
    transcript = submitting.Transcript("trip.srt", SPEECH)
    asked = submitting.of_transcript(transcript, strategy=strategy, by=caller, now=timezone.now())
    return asked.job


def work(job: Job) -> Job:
    """Do the job's work until it has ended, as a worker does that comes back after each wait."""
    assert job.run is not None
    for _ in range(TRIES):
        Run.objects.filter(pk=job.run.pk).update(next_try_at=None)
        doing.finish(job)
        if job.is_final:
            return job
    raise AssertionError(f"the job is {job.status} after {TRIES} tries")


def names(job: Job, by: Caller) -> list[str]:
    return [one["location"] for one in reading.locations(job.analysis, by=by)["routes"]]


@pytest.mark.parametrize("odd", list(Odd))
def test_one_odd_answer_costs_at_most_a_try(model, job: Job, caller: Caller, odd: Odd, settings):
    settings.LLM_TIMEOUT_S = 0.3 if odd is Odd.DRIP else 20
    model.answer_oddly(odd)

    work(job)

    if odd is Odd.REFUSAL:  # it would refuse again
        assert (job.status, job.error_type) == ("failed", "deterministic")
        assert job.error_message.startswith("llm_refusal")
        job = work(jobs.retry(job, by=caller, now=timezone.now()))
    assert (job.status, names(job, caller)) == ("done", ["Taipei", "Jiufen"])
    assert job.run is not None
    assert job.run.attempt <= 2


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (Odd.EMPTY, "stays unreadable: there is no JSON object"),
        (Odd.INVALID_JSON, "stays unreadable: the JSON is broken"),
        (Odd.WRONG_SHAPE, "stays unreadable: places: Field required"),
        (Odd.WRONG_TYPES, "stays unreadable: places.0.name: Input should be a valid string"),
        (Odd.NO_CHOICES, "the model answered nothing"),
        (Odd.ENORMOUS, "larger than 4 MiB"),
        (Odd.DRIP, "the model took longer than 0.3 s"),
    ],
)
def test_a_model_that_stays_odd_fails_the_job_which_can_be_tried_again(
    model, job: Job, caller: Caller, odd: Odd, why: str, settings
):
    settings.LLM_TIMEOUT_S = 0.3 if odd is Odd.DRIP else 20
    model.answer_oddly(*[odd] * 2 * TRIES)

    work(job)

    assert (job.status, job.error_type) == ("failed", "transient")
    assert why in job.error_message
    model.reset()
    again = work(jobs.retry(job, by=caller, now=timezone.now()))
    assert (again.status, names(again, caller)) == ("done", ["Taipei", "Jiufen"])


@pytest.mark.parametrize("kind", [FaultKind.EMPTY200, FaultKind.HTML200, FaultKind.CUT_BODY])
def test_what_is_no_answer_of_a_model_costs_a_try(model, job: Job, caller: Caller, kind):
    model.faults.add(Fault(kind, times=1))

    work(job)

    assert (job.status, names(job, caller)) == ("done", ["Taipei", "Jiufen"])


def test_what_the_map_lacks_is_listed_with_its_reason(model, caller: Caller):
    strategy = make_strategy(model="sandbox-1").name
    speech = SPEECH + b"\n3\n00:00:10,000 --> 00:00:12,000\nand on to Kaohsiung\n"
    asked = submitting.of_transcript(
        submitting.Transcript("trip.srt", speech), strategy=strategy, by=caller, now=timezone.now()
    )

    job = work(asked.job)

    assert job.status == "partial"
    failed = reading.failures(job.analysis, by=caller)["failed"]
    assert failed == [{"raw": "Kaohsiung", "reason": "the gazetteer has no place of this name"}]
