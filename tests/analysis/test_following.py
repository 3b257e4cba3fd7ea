from typing import Any

import pytest
from django.utils import timezone

from analysis import batches, following, jobs, reading, submitting
from analysis.contracts import Waiting
from analysis.models import Job
from project.core import working
from project.core.callers import Caller
from project.core.errors import ForbiddenError
from project.core.hub import Frame
from project.core.models import Run, RunEvent
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.analysis.factories import make_unlimited_user

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


def ask(caller: Caller) -> Job:
    return submitting.of_url(URL, by=caller, now=timezone.now()).job


def shown(job: Job, since: int = 0) -> list[tuple[int, str, dict[str, Any]]]:
    """Return what a view shows of a job's history, up to its last event."""
    view = following.JobView(jobs.find(job.pk, by=Caller(is_staff=True)), since)
    found = []
    for event in RunEvent.objects.filter(run=job.run, seq__gt=since).order_by("seq"):
        frame = Frame(event.run_id, event.seq, event.event, event.data)
        if (one := view.shown(frame)) is not None:
            found.append((one.seq, one.event, dict(one.data)))
        if view.is_last(frame):
            break
    return found


def test_a_jobs_events_have_the_fields_of_the_contract(caller: Caller, outside: Outside):
    job = doing.finish(ask(caller))

    told = shown(job)

    names = {
        "phase_update": {"job_id", "phase", "progress", "ts"},
        "partial_locations": {"job_id", "locations", "progress"},
        "completed": {"job_id", "status", "progress"},
    }
    assert {name: set(data) for _, name, data in told} == names
    assert all(data["job_id"] == str(job.pk) for _, _, data in told)
    assert told[-1][1:] == (
        "completed",
        {"job_id": str(job.pk), "status": "partial", "progress": 100},
    )
    numbers = [seq for seq, _, _ in told]
    assert numbers == sorted(set(numbers))


def test_who_follows_a_job_hears_what_it_waits_for(
    caller: Caller, outside: Outside, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(working, "REPORT_EVERY_S", 0)
    polled: list[Any] = []

    def compiled(told: Waiting) -> None:
        told("names: cities", 0.5)
        polled.append(reading.job_state(jobs.find(job.pk, by=caller))["waiting"])

    outside.before_asking = compiled
    job = ask(caller)
    doing.finish(job)

    waits = {"what": "names: cities", "percent": 50}
    updates = [data for _, name, data in shown(job) if name == "phase_update"]
    assert polled == [waits, waits]  # for the extractor, then for the geocoder
    assert [data["waiting"] for data in updates if "waiting" in data] == [waits, waits]
    assert "waiting" not in updates[-1]
    assert reading.job_state(jobs.find(job.pk, by=caller))["waiting"] is None


def test_all_jobs_on_one_work_see_the_same_numbers_under_their_own_id(caller, outside: Outside):
    mine, theirs = ask(caller), ask(Caller(user_id=make_unlimited_user().pk))
    doing.finish(mine)

    one, other = shown(mine), shown(theirs)

    assert [event[:2] for event in one] == [event[:2] for event in other]
    assert {event[2]["job_id"] for event in other} == {str(theirs.pk)}


def test_a_job_that_left_ends_there_and_the_others_do_not_see_it(caller, outside: Outside):
    mine, theirs = ask(caller), ask(Caller(user_id=make_unlimited_user().pk))
    jobs.cancel(mine, by=caller, now=timezone.now())
    doing.finish(theirs)

    told = shown(mine)

    assert told == [(2, "canceled", {"job_id": str(mine.pk), "status": "canceled"})]
    assert "canceled" not in [name for _, name, _ in shown(theirs)]
    mine.refresh_from_db()
    assert following.JobView(mine, 2).is_read
    assert not following.JobView(mine, 1).is_read


def test_a_failure_says_why(caller, outside: Outside):
    outside.speech = []
    job = doing.finish(ask(caller))

    assert shown(job)[-1][1:] == (
        "error",
        {
            "job_id": str(job.pk),
            "status": "failed",
            "error": {"type": "deterministic", "message": "no_subtitles: nothing is said in it"},
        },
    )


def test_completed_is_told_after_the_result_is_stored(caller, outside: Outside, monkeypatch):
    from project.core import events

    seen: list[tuple[str, int]] = []
    write = events._write

    def spy(run: Run, event: str, data: Any, now: Any) -> None:
        if event == "completed":
            analysis = Job.objects.filter(run=run).get().analysis
            seen.append((analysis.outcome, analysis.places.count()))
        write(run, event, data, now)

    monkeypatch.setattr(events, "_write", spy)
    doing.finish(ask(caller))

    assert seen == [("partial", 5)]


async def read_all(view: following.JobView | following.BatchView) -> list[tuple[int, str, Any]]:
    found: list[Frame] = []
    async with view.follow() as subscription:
        while not subscription.is_over:
            found += filter(None, map(view.shown, await subscription.read(timeout_s=1)))
    return [(one.seq, one.event, dict(one.data)) for one in found]


@pytest.fixture
def cached(caller, outside: Outside) -> Job:
    doing.finish(ask(caller))
    return ask(caller)


async def test_a_job_whose_result_was_there_has_its_end_alone(cached: Job):
    end = {"job_id": str(cached.pk), "status": "partial", "progress": 100}

    assert await read_all(following.JobView(cached, 0)) == [(1, "completed", end)]
    assert await read_all(following.JobView(cached, 1)) == []


@pytest.fixture
def forgotten(caller, outside: Outside) -> Job:
    outside.speech = []
    job = doing.finish(ask(caller))
    Run.objects.all().delete()  # after ninety days
    return jobs.find(job.pk, by=caller)


async def test_a_job_whose_run_is_forgotten_still_tells_its_end(forgotten: Job):
    (told,) = await read_all(following.JobView(forgotten, 0))

    assert told[1] == "error"
    assert told[2]["error"]["type"] == "deterministic"


def test_a_key_without_the_scope_may_not_follow(caller):
    job = ask(caller)
    poor = Caller(user_id=caller.user_id, scopes=frozenset({"markets:read"}))

    with pytest.raises(ForbiddenError):
        following.open_job(job.pk, poor, 0)
    with pytest.raises(jobs.JobNotFoundError):
        following.open_job(job.pk, Caller(user_id=make_unlimited_user().pk), 0)


def test_a_batchs_events(caller, outside: Outside):
    urls = [f"https://youtu.be/video{number:06d}" for number in range(2)]
    made = batches.submit(urls, by=caller, now=timezone.now())
    for job in made.jobs:
        doing.finish(job)
    batch = batches.find(made.batch.pk, by=caller)
    view = following.BatchView(batch, 0)

    rows = RunEvent.objects.filter(run=batch.run).order_by("seq")
    frames = [view.shown(Frame(row.run_id, row.seq, row.event, row.data)) for row in rows]

    told = [(one.event, one.data["status"], one.data.get("progress")) for one in frames if one]
    assert told == [
        ("batch_update", "queued", 0.0),
        ("batch_update", "running", 50.0),
        ("completed", "partial", 100),
    ]
    assert following.batch_state(batch)["status"] == "partial"
