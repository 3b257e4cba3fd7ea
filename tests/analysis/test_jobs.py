import pytest
from django.utils import timezone

from analysis import jobs, reading, submitting
from analysis.models import Job
from project.core import runs
from project.core.callers import Caller
from project.core.errors import ConflictError
from project.core.models import Run
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.analysis.factories import make_job, make_unlimited_user
from tests.factories import make_staff, names_of
from tests.project.rivals import rivals

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


@pytest.fixture
def other(default_strategy) -> Caller:
    return Caller(user_id=make_unlimited_user().pk)


def ask(caller: Caller) -> Job:
    return submitting.of_url(URL, by=caller, now=timezone.now()).job


def cancel(job: Job, caller: Caller) -> Job:
    return jobs.cancel(job, by=caller, now=timezone.now())


def test_who_leaves_shared_work_does_not_stop_it(caller, other, outside: Outside):
    mine, theirs = ask(caller), ask(other)

    cancel(mine, caller)

    theirs.refresh_from_db()
    assert (mine.status, theirs.status) == ("canceled", "queued")
    assert mine.run is not None
    assert names_of(mine.run) == ["run_update", "job_canceled"]
    assert mine.end_seq == 2
    assert doing.finish(theirs).status == "partial"
    mine.refresh_from_db()
    assert (mine.status, mine.end_seq) == ("canceled", 2)


def test_the_last_who_leaves_stops_it(caller, other):
    mine, theirs = ask(caller), ask(other)

    cancel(theirs, other)
    cancel(mine, caller)

    run = Run.objects.get()
    assert (run.status, run.exclusive_key) == ("canceled", "")
    assert set(Job.objects.values_list("final_status", flat=True)) == {"canceled"}


@pytest.mark.parametrize("tell_every_s", [0, 600])
def test_running_work_stops_at_its_next_safe_point_and_keeps_what_it_found(
    tell_every_s, caller, outside: Outside, monkeypatch
):
    monkeypatch.setattr("analysis.mapping.TELL_EVERY_S", tell_every_s)
    job = ask(caller)

    def leave(name: str) -> None:
        if name == "tainan":
            cancel(job, caller)
            from project.core import claims  # the keeper looks twice a second

            claims.look(list(claims.keeper._claims.values()))

    outside.before_locate = leave

    doing.finish(job)

    assert job.run is not None
    assert (job.status, job.run.status) == ("canceled", "canceled")
    routes = reading.locations(job.analysis, by=caller)["routes"]
    assert [one["location"] for one in routes] == ["Taipei", "Jiufen", "Tainan"]
    assert job.analysis.outcome == "none"


def test_cancelling_twice_changes_nothing_and_what_has_ended_can_not_be(caller, outside):
    job = ask(caller)
    cancel(job, caller)
    ended_at = job.ended_at

    cancel(job, caller)
    done = doing.finish(ask(caller))

    assert job.ended_at == ended_at
    with pytest.raises(jobs.JobEndedError):
        cancel(done, caller)


def test_rivals_who_all_leave_stop_the_work_once(default_strategy):
    callers = [Caller(user_id=make_unlimited_user().pk) for _ in range(12)]
    asked = [ask(caller) for caller in callers]

    rivals(12, lambda number: cancel(asked[number], callers[number]))

    run = Run.objects.get()
    names = names_of(run)
    assert (run.status, names.count("job_canceled"), names.count("canceled")) == ("canceled", 12, 1)
    assert Job.objects.in_status("canceled").count() == 12


def test_a_strangers_job_is_not_there(caller, other):
    mine = ask(caller)

    assert jobs.find(mine.pk, by=caller) == mine
    with pytest.raises(jobs.JobNotFoundError):
        jobs.find(mine.pk, by=other)
    assert jobs.find(mine.pk, by=Caller(user_id=make_staff().pk, is_staff=True)) == mine


def test_cancelling_the_run_takes_its_asker_off_and_staff_stop_it(caller, other, outside):
    mine, theirs = ask(caller), ask(other)
    run, now = Run.objects.get(), timezone.now()

    runs.cancel(run, by=caller, now=now)
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.status, theirs.status, run.status) == ("canceled", "queued", "queued")
    runs.cancel(run, by=Caller(user_id=make_staff().pk, is_staff=True), now=now)

    theirs.refresh_from_db()
    assert (theirs.status, run.status) == ("canceled", "canceled")


def test_a_run_that_failed_is_retried_as_a_job(caller, outside: Outside):
    outside.speech = []
    job = doing.finish(ask(caller))
    outside.speech = list(doing.SPEECH)
    assert job.run is not None

    run = runs.retry(job.run, by=caller, now=timezone.now())

    retried = Job.objects.get(run=run)
    assert (retried.retry_of, retried.owner_id) == (job, caller.user_id)
    assert doing.finish(retried).status == "partial"


def test_retry_of_what_still_works(caller):
    with pytest.raises(jobs.JobNotEndedError):
        jobs.retry(ask(caller), by=caller, now=timezone.now())


def test_a_retry_is_made_once_at_a_time(caller, other, outside: Outside):
    job = doing.finish(ask(caller))
    ask(other)
    jobs.retry_geocode(job.analysis, by=caller, now=timezone.now())

    with pytest.raises(ConflictError):
        jobs.retry_geocode(job.analysis, by=other, now=timezone.now())


def test_the_status_of_a_job_is_its_own_end_or_its_runs():
    waiting, working = make_job(), make_job()
    now = timezone.now()
    Run.objects.filter(jobs=working).update(status="running", claimed_until=now, heartbeat_at=now)
    Job.objects.filter(pk=waiting.pk).update(final_status="done", ended_at=now)

    found = {
        status: list(Job.objects.in_status(status).values_list("pk", flat=True))
        for status in ("queued", "running", "done")
    }
    assert found == {"queued": [], "running": [working.pk], "done": [waiting.pk]}
