import time
from typing import Any

import pytest
from django.utils import timezone

from analysis import jobs, pipeline, reading, submitting
from analysis.contracts import Segment, Waiting
from analysis.failures import Deterministic, Transient
from analysis.models import Checkpoint, Job, Place
from project.core import working
from project.core.callers import Caller
from project.core.models import Run, RunEvent
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.analysis.factories import make_strategy
from tests.project import traces

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


def ask(caller: Caller, url: str = URL, **fields: Any) -> Job:
    return submitting.of_url(url, by=caller, now=timezone.now(), **fields).job


def events_of(run: Run, name: str) -> list[dict[str, Any]]:
    return [event.data for event in RunEvent.objects.filter(run=run, event=name).order_by("seq")]


def test_a_job_goes_through_its_phases_and_tells_its_places(outside: Outside, caller: Caller):
    job = doing.finish(ask(caller))

    assert (job.status, job.progress) == ("partial", 100.0)
    assert (job.error_type, job.error_message) == (
        "partial",
        "1 of 6 places could not be located",
    )
    found = reading.locations(job.analysis, by=caller)
    assert [(one["n"], one["location"], one["timecode"]) for one in found["routes"]] == [
        (1, "Taipei", "00:00:01,000"),
        (2, "Jiufen", "00:00:05,000"),
        (3, "Tainan", "00:01:10,000"),
        (4, "Hualien", "00:01:20,000"),
        (5, "Kenting", "01:01:01,500"),
    ]
    assert found["routes"][0]["coordinates"] == [121.56, 25.03]
    assert found["routes"][0]["tags"] == ["spoken", "city"]
    assert reading.failures(job.analysis, by=caller)["failed"] == [
        {"raw": "atlantis", "reason": "nobody knows it"}
    ]
    assert job.run is not None
    phases = [event["phase"] for event in events_of(job.run, "run_update") if event["phase"]]
    assert list(dict.fromkeys(phases)) == ["metadata", "compression", "summary", "geocode"]


def test_each_phase_is_a_span_of_the_run(outside: Outside, caller: Caller, monkeypatch, settings):
    with traces.received(monkeypatch, settings) as sent:
        job = doing.finish(ask(caller))
        spans = sent()

    run = spans["run analysis.job"]
    phases = [f"analysis.{name}" for name in ("metadata", "compression", "summary", "geocode")]
    assert {spans[name].parent_span_id for name in phases} == {run.span_id}
    assert {spans[name].trace_id for name in phases} == {run.trace_id}
    began = [spans[name].start_time_unix_nano for name in phases]
    assert began == sorted(began)
    told = {name: {one.key: one.value for one in spans[name].attributes} for name in phases}
    assert {one["run.id"].string_value for one in told.values()} == {str(job.run_id)}
    assert told["analysis.geocode"]["db.statements"].int_value > 0


def test_progress_never_goes_back_and_ends_at_a_hundred(outside: Outside, caller: Caller, settings):
    job = doing.finish(ask(caller))

    told = list(RunEvent.objects.filter(run=job.run).order_by("seq").values_list("data", flat=True))
    progress = [event["progress"] for event in told if "progress" in event]
    assert progress == sorted(progress)
    assert progress[-1] == 100.0


def test_a_phase_is_not_gone_back_to_by_an_attempt_that_goes_on(outside: Outside, caller: Caller):
    answers = [Transient("429")]

    def busy() -> None:
        if answers:
            raise answers.pop()

    outside.before_extract = busy
    job = ask(caller)
    doing.finish(job)
    Run.objects.filter(jobs=job).update(next_try_at=None)
    doing.finish(job)

    assert job.run is not None
    phases = [event["phase"] for event in events_of(job.run, "run_update") if event["phase"]]
    order = ["metadata", "compression", "summary", "geocode"]
    assert phases == sorted(phases, key=order.index)
    assert job.status == "partial"


def test_a_job_that_waits_for_the_gazetteer_says_how_far_it_is(
    outside: Outside, caller: Caller, monkeypatch
):
    monkeypatch.setattr(working, "REPORT_EVERY_S", 0)

    def compiled(told: Waiting) -> None:
        for ratio in (0.25, 0.25, 0.5):
            told("names: cities", ratio)

    outside.before_asking = compiled
    job = doing.finish(ask(caller))

    assert job.run is not None
    told = [event["counts"] for event in events_of(job.run, "run_update")]
    waited = [one["waiting_percent"] for one in told if "waiting_for" in one]
    assert waited == [25, 50, 25, 50]  # for the extractor, then for the geocoder
    assert "waiting_for" not in job.run.counts
    assert job.status == "partial"


def test_a_job_that_waits_for_the_gazetteer_can_be_canceled(outside: Outside, caller: Caller):
    def compiled(told: Waiting) -> None:
        jobs.cancel(job, by=caller, now=timezone.now())
        for _ in range(600):  # until the keeper of claims has seen it
            told("names: cities", 0.25)
            time.sleep(0.05)

    outside.before_asking = compiled
    job = ask(caller)
    doing.finish(job)

    assert (job.status, outside.extracted) == ("canceled", [])


def test_five_places_one_by_one(outside: Outside, caller: Caller, monkeypatch):
    monkeypatch.setattr("analysis.mapping.TELL_EVERY_S", 0)
    del outside.names[-1]
    seen: list[int] = []
    outside.before_locate = lambda _name: seen.append(Place.objects.count())

    job = doing.finish(ask(caller))

    assert job.run is not None
    told = events_of(job.run, "partial_locations")
    assert [len(event["locations"]) for event in told] == [1] * 5
    assert [event["progress"] for event in told] == [76.0, 82.0, 88.0, 94.0, 100.0]
    assert seen == [0, 1, 2, 3, 4]
    assert job.status == "done"


def test_a_transient_failure_is_tried_three_times_as_the_other_side_asks(
    outside: Outside, caller: Caller
):
    def busy() -> None:
        raise Transient("429 Too Many Requests", retry_after=120)

    outside.before_extract = busy
    job = ask(caller)
    waits = []

    assert job.run is not None
    for _ in range(3):
        Run.objects.filter(pk=job.run.pk).update(next_try_at=None)
        before = timezone.now()
        doing.execute(job.run)
        if job.run.next_try_at is not None:
            waits.append((job.run.next_try_at - before).total_seconds())

    job.refresh_from_db()
    assert [wait >= 120 for wait in waits] == [True, True]
    assert (job.status, job.error_type) == ("failed", "transient")
    assert job.error_message == "429 Too Many Requests (after 3 tries)"
    assert (len(outside.fetched), len(outside.extracted)) == (1, 3)


def test_a_server_that_says_429_twice_then_answers(outside: Outside, caller: Caller):
    answers = [Transient("429"), Transient("429")]

    def busy() -> None:
        if answers:
            raise answers.pop()

    outside.before_fetch = busy
    job = ask(caller)
    for _ in range(3):
        Run.objects.filter(jobs=job).update(next_try_at=None)
        doing.finish(job)

    assert job.status == "partial"
    assert len(outside.fetched) == 3


def test_the_tries_of_one_phase_are_not_those_of_another(outside: Outside, caller: Caller):
    failures = {"fetch": 2, "extract": 2, "locate": 2}

    def fails(name: str) -> Any:
        def deed(*_: object) -> None:
            if failures[name]:
                failures[name] -= 1
                raise Transient("5xx")

        return deed

    outside.before_fetch, outside.before_extract = fails("fetch"), fails("extract")
    outside.before_locate = fails("locate")
    job = ask(caller)
    for _ in range(7):
        Run.objects.filter(jobs=job).update(next_try_at=None)
        doing.finish(job)

    assert job.status == "partial"


def test_a_deterministic_failure_is_final_at_once(outside: Outside, caller: Caller):
    def gone() -> None:
        raise Deterministic("this video has no subtitles", code="no_subtitles")

    outside.before_fetch = gone

    job = doing.finish(ask(caller))

    assert (job.status, job.error_type) == ("failed", "deterministic")
    assert job.error_message == "no_subtitles: this video has no subtitles"
    assert len(outside.fetched) == 1


def test_silence_is_no_subtitles(outside: Outside, caller: Caller):
    outside.speech = []

    job = doing.finish(ask(caller))

    assert (job.status, job.error_type) == ("failed", "deterministic")


def test_a_bug_fails_the_job_with_its_name(outside: Outside, caller: Caller):
    def bug() -> None:
        raise ZeroDivisionError("oh")

    outside.before_extract = bug

    job = doing.finish(ask(caller))

    assert (job.status, job.error_type, job.error_message) == ("failed", "ZeroDivisionError", "oh")


def test_speech_without_places_is_done(outside: Outside, caller: Caller):
    outside.names = []

    job = doing.finish(ask(caller))

    assert (job.status, reading.locations(job.analysis, by=caller)["routes"]) == ("done", [])


def test_chunks_that_were_paid_for_are_not_asked_for_again(
    outside: Outside, caller: Caller, monkeypatch
):
    pieces = [[segment] for segment in doing.SPEECH]
    monkeypatch.setattr("analysis.compressing.chunks", lambda kept: pieces)
    fails = [Transient("time-out")]

    def third_fails() -> None:
        if len(outside.extracted) == 3 and fails:
            raise fails.pop()

    outside.before_extract = third_fails
    job = ask(caller)
    for _ in range(2):
        Run.objects.filter(jobs=job).update(next_try_at=None)
        doing.finish(job)

    first = [piece[0].text for piece in pieces]
    assert outside.extracted == [*first[:3], *first[2:]]
    assert (job.analysis.tokens_in, job.analysis.tokens_out) == (500, 50)
    assert not Checkpoint.objects.exclude(part=0).exists()


def test_another_strategy_uses_the_phases_again_whose_inputs_are_the_same(
    outside: Outside, caller: Caller
):
    job = doing.finish(ask(caller))
    model = make_strategy(model="other-model")
    geocoder = make_strategy(geocode_mode="nominatim")

    for strategy in (model, geocoder):
        other = jobs.with_strategy(job, strategy.name, by=caller, now=timezone.now()).job
        doing.finish(other)
        assert other.status == "partial"
        assert other.analysis.strategy_hash == strategy.strategy_hash != job.analysis.strategy_hash

    assert len(outside.fetched) == 1
    assert len(outside.extracted) == 2
    assert len(outside.located) == 18
    assert Place.objects.filter(analysis=job.analysis).count() == 5


def test_a_retry_tries_the_failures_alone_and_says_by_how_many_they_shrank(
    outside: Outside, caller: Caller
):
    del outside.places["tainan"]
    first = doing.finish(ask(caller))
    assert [one["raw"] for one in reading.failures(first.analysis, by=caller)["failed"]] == [
        "tainan",
        "atlantis",
    ]
    outside.places["tainan"] = doing.PLACES["tainan"]
    outside.located.clear()

    made = jobs.retry_geocode(first.analysis, by=caller, now=timezone.now())
    retried = doing.finish(made.job)

    assert (made.places, outside.located) == (2, ["tainan", "atlantis"])
    assert (retried.status, retried.shrunk_by, retried.retry_of) == ("partial", 1, first)
    assert [one["raw"] for one in reading.failures(retried.analysis, by=caller)["failed"]] == [
        "atlantis"
    ]
    routes = reading.locations(retried.analysis, by=caller)["routes"]
    assert [(one["n"], one["location"]) for one in routes][2] == (3, "Tainan")
    assert len(outside.fetched) == 1


def test_a_retry_of_named_places(outside: Outside, caller: Caller):
    outside.places = {}
    first = doing.finish(ask(caller))
    outside.located.clear()

    made = jobs.retry_geocode(first.analysis, names=["  KENTING "], by=caller, now=timezone.now())
    doing.finish(made.job)

    assert outside.located == ["kenting"]
    with pytest.raises(jobs.UnknownPlacesError):
        jobs.retry_geocode(first.analysis, names=["paris"], by=caller, now=timezone.now())


def test_nothing_to_retry(outside: Outside, caller: Caller):
    del outside.names[-1]
    job = doing.finish(ask(caller))

    with pytest.raises(jobs.NothingToRetryError):
        jobs.retry_geocode(job.analysis, by=caller, now=timezone.now())
    with pytest.raises(jobs.NothingToRetryError):
        jobs.retry(job, by=caller, now=timezone.now())


def test_what_a_database_cannot_keep_is_left_out(outside: Outside, caller: Caller):
    outside.speech[0] = Segment(0, 1_000, "nul \x00 and half \ud83d of taipei in the city")

    job = doing.finish(ask(caller))

    assert job.status == "partial"
    assert "\x00" not in str(Checkpoint.objects.get(phase="metadata").data)


def test_a_video_that_was_deleted_meanwhile(caller: Caller):
    job = ask(caller)
    run = job.run
    assert run is not None
    job.analysis.video.delete()

    doing.execute(run)

    assert (run.status, run.error_type) == ("failed", "deterministic")
    assert pipeline.TRIES == 3


@pytest.mark.parametrize(("cues", "ratio"), [(3, 1.0), (3_000, 0.4)])
def test_speech_that_one_question_holds_is_not_shortened(
    cues: int, ratio: float, outside: Outside, caller: Caller, monkeypatch
):
    asked: list[float] = []

    def compress(segments: list[Segment], *, ratio: float, **_: Any) -> list[Segment]:
        asked.append(ratio)
        return segments[:1]

    monkeypatch.setattr("analysis.compressing.compress", compress)
    outside.speech = [
        Segment(1_000 * number, 1_000 * number + 900, f"we speak of thing {number}")
        for number in range(cues)
    ]

    doing.finish(ask(caller))

    assert asked == [ratio]
