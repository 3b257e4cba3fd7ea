from datetime import timedelta

import pytest
from django.utils import timezone

from analysis import batches, enlisting, jobs, strategies, submitting
from analysis.models import Analysis, Batch, Job, Video
from project.core.callers import Caller
from project.core.models import Run
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.analysis.test_batches import urls

pytestmark = pytest.mark.django_db(transaction=True)


def enlist(caller: Caller, count: int) -> list[Job]:
    now = timezone.now()
    addresses = {f"video{number:06d}": url for number, url in enumerate(urls(count))}
    moments = {
        one: now + timedelta(microseconds=at) for at, one in enumerate(reversed(list(addresses)))
    }
    later = now + timedelta(hours=1)
    roll = enlisting.Roll(
        Batch.objects.create(total=count), strategies.find(), caller, not_before=later
    )
    return enlisting.enlist(roll, addresses, moments)


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
        assert Analysis.objects.get(pk=job.analysis_id).run_id == job.run_id
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
