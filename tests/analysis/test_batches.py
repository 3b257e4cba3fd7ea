import time
from typing import Any

import pytest
from django.utils import timezone

from accounts import quotas
from analysis import batches, jobs, submitting
from analysis.models import Batch, Job
from project.core import runs
from project.core.callers import Caller
from project.core.models import Run
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.factories import make_plan, make_subscription, make_user, names_of
from tests.project.rivals import rivals

pytestmark = pytest.mark.django_db(transaction=True)


def urls(count: int) -> list[str]:
    return [f"https://youtu.be/video{number:06d}" for number in range(count)]


def submit(caller: Caller, count: int) -> batches.Submitted:
    return batches.submit(urls(count), by=caller, now=timezone.now())


def begun() -> int:
    return Run.objects.filter(kind="analysis.job", next_try_at__lte=timezone.now()).count()


def finish_all(made: batches.Submitted) -> Batch:
    for job in made.jobs:
        doing.finish(job)
    made.batch.refresh_from_db()
    return made.batch


def test_a_few_are_at_work_and_each_end_begins_the_next(caller: Caller, outside: Outside):
    made = submit(caller, 6)
    assert begun() == batches.AT_ONCE

    doing.finish(made.jobs[0])

    assert begun() == batches.AT_ONCE  # one ended, one was woken
    assert Run.objects.get(pk=made.jobs[4].run_id).next_try_at <= timezone.now()  # type: ignore[operator,misc]


def test_videos_have_their_turn_in_the_order_of_the_list(caller: Caller, outside: Outside):
    made = batches.submit([*reversed(urls(12))], by=caller, now=timezone.now())

    woken = Run.objects.filter(kind="analysis.job", next_try_at__lte=timezone.now())
    first = {job.run_id for job in made.jobs[: batches.AT_ONCE]}
    assert set(woken.values_list("pk", flat=True)) == first


def test_a_batch_ends_with_its_last_job(caller: Caller, outside: Outside):
    del outside.names[-1]
    made = submit(caller, 3)

    batch = finish_all(made)

    assert (batch.final_status, batch.ended_at is not None) == ("done", True)
    assert batch.run is not None
    assert (batch.run.status, batch.run.progress) == ("done", 100.0)
    told = [event.data["progress"] for event in batch.run.events.order_by("seq")]
    assert told == sorted(told)
    assert names_of(batch.run)[-1] == "completed"
    assert quotas.usage(make_user(), now=timezone.now())


def test_results_that_are_there_end_a_batch_at_once(caller: Caller, outside: Outside):
    finish_all(submit(caller, 2))

    made = submit(caller, 2)

    made.batch.refresh_from_db()
    assert [job.cached for job in made.jobs] == [True, True]
    assert made.batch.final_status == "partial"


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({"done": 3}, "done"),
        ({"done": 2, "partial": 1}, "partial"),
        ({"done": 2, "failed": 1}, "partial"),
        ({"failed": 3}, "failed"),
        ({"canceled": 3}, "canceled"),
        ({"canceled": 1, "done": 2}, "canceled"),
        ({"canceled": 1, "failed": 2}, "partial"),
    ],
)
def test_how_a_batch_ends(counts, status):
    whole = dict.fromkeys(("done", "partial", "failed", "canceled"), 0) | {"total": 3, **counts}

    assert batches._final_status(whole) == status


def test_cancel_stops_what_is_left_and_keeps_what_is_done(caller: Caller, outside: Outside):
    made = submit(caller, 4)
    doing.finish(made.jobs[0])

    batch = batches.cancel(made.batch, by=caller, now=timezone.now())

    assert batch.final_status == "canceled"
    statuses = list(Job.objects.order_by("analysis__video__video_id").values_list("final_status"))
    assert statuses == [("partial",), ("canceled",), ("canceled",), ("canceled",)]
    assert Run.objects.unended().count() == 0


def test_cancel_leaves_the_work_of_others_alone(caller: Caller, default_strategy: Any):
    made = submit(caller, 2)
    other = Caller(user_id=make_user().pk)
    theirs = submitting.of_url(urls(1)[0], by=other, now=timezone.now()).job

    batches.cancel(made.batch, by=caller, now=timezone.now())

    theirs.refresh_from_db()
    assert (theirs.status, theirs.run_id) == ("queued", made.jobs[0].run_id)


def test_its_own_run_puts_right_what_nobody_told_it_of(caller: Caller, outside: Outside):
    made = submit(caller, 2)
    run = made.batch.run
    assert run is not None
    Run.objects.filter(pk=run.pk).update(next_try_at=None)
    doing.execute(run)
    assert (run.status, run.attempt, run.tries) == ("queued", 1, 0)
    for job in made.jobs:  # ended without a word
        Job.objects.filter(pk=job.pk).update(final_status="failed", ended_at=timezone.now())
        Run.objects.filter(jobs=job).update(status="failed", ended_at=timezone.now())
    Run.objects.filter(pk=run.pk).update(next_try_at=None)

    doing.execute(run)

    assert (run.status, Batch.objects.get().final_status) == ("failed", "failed")


def test_canceling_the_run_cancels_the_batch_and_retry_asks_for_what_came_to_nothing(
    caller: Caller, outside: Outside
):
    made = submit(caller, 3)
    doing.finish(made.jobs[0])
    assert made.batch.run is not None
    run = runs.cancel(made.batch.run, by=caller, now=timezone.now())
    assert run.status == "canceled"

    again = runs.retry(run, by=caller, now=timezone.now())

    batch = Batch.objects.get(run=again)
    assert sorted(batch.jobs.values_list("analysis__video__video_id", flat=True)) == [
        "video000001",
        "video000002",
    ]


def test_quotas_of_a_batch(default_strategy: Any):
    me = make_user()
    make_subscription(user=me, plan=make_plan(jobs_at_once=1, jobs_per_day=5))
    caller = Caller(user_id=me.pk)

    with pytest.raises(quotas.DailyQuotaError):
        submit(caller, 6)
    assert not Batch.objects.exists()
    submit(caller, 5)
    with pytest.raises(quotas.HeldQuotaError):
        submitting.of_url("https://youtu.be/another0001", by=Caller(user_id=me.pk), now=_later())


def _later() -> Any:
    from datetime import timedelta

    return timezone.now() + timedelta(days=1)


def test_a_strangers_batch_is_not_there(caller: Caller):
    made = submit(caller, 1)

    with pytest.raises(batches.BatchNotFoundError):
        batches.find(made.batch.pk, by=Caller(user_id=make_user().pk))


def test_two_hundred_videos(caller: Caller, record_property: Any):
    began = time.monotonic()

    made = submit(caller, 200)

    record_property("200 videos submitted in s", round(time.monotonic() - began, 2))
    assert len(made.jobs) == len({job.run_id for job in made.jobs}) == 200
    assert begun() == batches.AT_ONCE


def test_rivals_with_the_same_videos_share_the_work(default_strategy: Any):
    callers = [Caller(user_id=make_user().pk) for _ in range(4)]

    def deed(number: int) -> batches.Submitted:
        wanted = urls(8) if number % 2 else list(reversed(urls(8)))
        return batches.submit(wanted, by=callers[number], now=timezone.now())

    made = rivals(4, deed)

    assert Run.objects.filter(kind="analysis.job").count() == 8
    assert {len(one.jobs) for one in made} == {8}
    with pytest.raises(jobs.NothingToRetryError):
        jobs.retry_geocode(made[0].jobs[0].analysis, by=callers[0], now=timezone.now())
