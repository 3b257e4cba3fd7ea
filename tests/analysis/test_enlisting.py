from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import quotas
from analysis import batches, enlisting, jobs, strategies, submitting
from analysis.models import Batch, Job, Video
from project.core.callers import Caller
from project.core.models import Run
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.analysis.factories import make_unlimited_user
from tests.analysis.test_batches import urls
from tests.factories import make_plan, make_subscription, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def enlist(caller: Caller, count: int) -> list[Job]:
    now = timezone.now()
    wanted = [submitting.unsaved(url, now=now) for url in reversed(urls(count))]
    analyses = enlisting.analyses_of(enlisting.videos_of(wanted), strategies.find(), now=now)
    batch = Batch.objects.create(total=count)
    roll = enlisting.Roll(caller, batch, not_before=now + timedelta(hours=1))
    return [asked.job for asked in enlisting.enlist(roll, analyses, now=now)]


def test_what_is_there_what_is_on_its_way_and_what_is_new(caller: Caller, outside: Outside):
    done, on_its_way, left, _ = urls(4)
    now = timezone.now()
    doing.finish(submitting.of_url(done, by=caller, now=now).job)
    shared = submitting.of_url(on_its_way, by=caller, now=now).job
    jobs.cancel(submitting.of_url(left, by=caller, now=now).job, by=caller, now=now)

    new, after_all_left, joined, cached = enlist(caller, 4)

    assert (cached.cached, cached.status, cached.run) == (True, "partial", None)
    assert (joined.run_id, joined.pk != shared.pk) == (shared.run_id, True)
    assert [after_all_left.pk, new.pk] == [after_all_left.run_id, new.run_id]
    waiting = Run.objects.filter(pk__in=[new.run_id, after_all_left.run_id], sent_at=None)
    assert waiting.filter(next_try_at__gt=now, event_seq=1).count() == 2
    for job in (new, after_all_left):
        job.analysis.refresh_from_db()
        assert job.analysis.run_id == job.run_id
    assert Job.objects.filter(pk__in=[new.pk, after_all_left.pk, joined.pk, cached.pk]).count() == 4


def test_many_take_a_few_statements(
    caller: Caller, outside: Outside, django_assert_max_num_queries
):
    with django_assert_max_num_queries(60):  # 999 values a statement, and not one for each video
        enlist(caller, 200)


def test_nothing_is_kept_of_a_batch_that_could_not_be_taken_whole(
    caller: Caller, outside: Outside, monkeypatch
):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Job.objects, "bulk_create", broken)
    with pytest.raises(RuntimeError):
        batches.submit(urls(3), by=caller, now=timezone.now())

    assert (Job.objects.count(), Video.objects.count(), Run.objects.count()) == (0, 0, 0)


def test_what_is_there_already_costs_a_batch_no_quota(outside: Outside, default_strategy: Any):
    me = make_user()
    make_subscription(user=me, plan=make_plan(jobs_at_once=1, jobs_per_day=2))
    caller = Caller(user_id=me.pk)
    for url in urls(2):
        doing.finish(submitting.of_url(url, by=caller, now=timezone.now()).job)

    made = batches.submit(urls(2), by=caller, now=timezone.now())

    assert [job.cached for job in made.jobs] == [True, True]
    with pytest.raises(quotas.DailyQuotaError):
        batches.submit(urls(3), by=caller, now=timezone.now())


def test_who_joins_does_not_hasten_a_run_that_was_told_to_wait(caller: Caller, outside: Outside):
    """A site said when to come back; a run that waits for its turn in a batch is hastened."""
    told, turn = (submitting.of_url(url, by=caller, now=timezone.now()).job for url in urls(2))
    later = timezone.now() + timedelta(minutes=5)
    assert told.run is not None
    assert turn.run is not None
    Run.objects.filter(pk=told.run.pk).update(next_try_at=later, attempt=1)
    Run.objects.filter(pk=turn.run.pk).update(next_try_at=later)

    for url in urls(2):
        submitting.of_url(url, by=Caller(user_id=make_unlimited_user().pk), now=timezone.now())

    told.run.refresh_from_db()
    turn.run.refresh_from_db()
    assert told.run.next_try_at == later
    assert turn.run.next_try_at is not None
    assert turn.run.next_try_at < later
