from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import quotas
from analysis import enlisting, jobs, strategies, submitting
from analysis.models import Analysis, Job, Strategy, Video
from project.core.callers import Caller
from project.core.models import Run
from tests.analysis import doing
from tests.analysis.doing import Outside
from tests.analysis.factories import make_strategy, make_unlimited_user
from tests.factories import make_plan, make_staff, make_subscription, make_user
from tests.project.rivals import rivals

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"


def ask(caller: Caller, url: str = URL, strategy: str = "") -> enlisting.Asked:
    return submitting.of_url(url, strategy=strategy, by=caller, now=timezone.now())


def url_of(number: int) -> str:
    return f"https://www.youtube.com/watch?v=video{number:06d}"


def upload(caller: Caller, data: bytes = b"1\n00:00:01,000 --> 00:00:02,000\nhi\n") -> Job:
    transcript = submitting.Transcript("trip.srt", data)
    return submitting.of_transcript(transcript, by=caller, now=timezone.now()).job


def test_a_first_job_begins_the_work_and_has_its_id(caller: Caller):
    asked = ask(caller)

    run = Run.objects.get()
    assert (asked.is_new, asked.job.cached, asked.job.status) == (True, False, "queued")
    assert asked.job.pk == asked.job.run_id == run.pk
    assert run.payload == {"analysis_id": asked.job.analysis_id}
    assert (run.kind, run.requested_by_id) == ("analysis.job", caller.user_id)


def test_jobs_of_one_video_share_the_work_however_its_address_is_written(caller: Caller):
    first = ask(caller)

    other = ask(Caller(user_id=make_unlimited_user().pk), "https://youtu.be/dQw4w9WgXcQ?t=42")

    assert (other.is_new, other.job.run_id) == (False, first.job.run_id)
    assert other.job.pk != first.job.pk
    assert Run.objects.count() == Analysis.objects.count() == Video.objects.count() == 1


def test_another_strategy_is_other_work(caller: Caller):
    first, other = ask(caller), ask(caller, strategy=make_strategy(model="m").name)

    assert other.is_new
    assert other.job.run_id != first.job.run_id
    assert other.job.analysis.video == first.job.analysis.video


def test_a_result_that_is_there_is_given_at_once(caller: Caller, outside: Outside):
    doing.finish(ask(caller).job)

    again = ask(Caller(user_id=make_unlimited_user().pk))

    assert (again.is_new, again.job.cached, again.job.status) == (False, True, "partial")
    assert (again.job.run_id, again.job.progress) == (None, 100.0)
    assert Run.objects.count() == 1


def test_what_failed_is_begun_anew(caller: Caller, outside: Outside):
    outside.speech = []
    first = doing.finish(ask(caller).job)
    outside.speech = list(doing.SPEECH)

    again = ask(caller)

    assert (first.status, again.is_new) == ("failed", True)
    assert again.job.run_id != first.run_id
    assert doing.finish(again.job).status == "partial"


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://x/y", "https://www.youtube.com/watch?v=short", "javascript:x"]
)
def test_what_is_no_video_is_refused(url, caller: Caller):
    with pytest.raises(submitting.BadVideoError) as caught:
        ask(caller, url)

    assert caught.value.fields[0].field == "url"
    assert not Job.objects.exists()


def test_unknown_strategy(caller: Caller):
    with pytest.raises(strategies.UnknownStrategyError):
        ask(caller, strategy="nobody")


def test_an_upload_is_its_owners_alone(caller: Caller):
    stranger = Caller(user_id=make_unlimited_user().pk)

    mine, theirs = upload(caller), upload(stranger)

    assert mine.analysis.video.video_id == theirs.analysis.video.video_id
    assert mine.analysis.video.video_id.startswith("upload-")
    assert len(mine.analysis.video.video_id) == len("upload-") + 16
    assert mine.analysis_id != theirs.analysis_id
    assert mine.run_id != theirs.run_id
    assert not Analysis.objects.visible_to(stranger).filter(pk=mine.analysis_id).exists()
    assert Analysis.objects.visible_to(Caller(user_id=1, is_staff=True)).count() == 2


def test_an_upload_twice_is_one(caller: Caller):
    assert upload(caller).run_id == upload(caller).run_id


@pytest.mark.parametrize("size", [0, 101])
def test_an_upload_of_a_wrong_size(size, caller: Caller, settings):
    settings.TRANSCRIPT_MAX_BYTES = 100

    with pytest.raises(submitting.BadTranscriptError):
        upload(caller, b"x" * size)


def test_fifty_who_ask_at_once_share_one_piece_of_work(default_strategy: Strategy):
    callers = [Caller(user_id=make_unlimited_user().pk) for _ in range(50)]

    asked = rivals(50, lambda number: ask(callers[number]))

    assert len({one.job.pk for one in asked}) == 50
    assert len({one.job.run_id for one in asked}) == 1
    assert [one.is_new for one in asked].count(True) == 1
    assert (Run.objects.count(), Analysis.objects.count(), Video.objects.count()) == (1, 1, 1)


def test_fifty_at_once_of_one_plain_user_are_one_at_work(default_strategy: Strategy):
    me = make_user()
    make_subscription(user=me, plan=make_plan(jobs_at_once=1, jobs_per_day=50))

    asked = rivals(50, lambda _: ask(Caller(user_id=me.pk)))

    assert len({one.job.run_id for one in asked}) == 1
    with pytest.raises(quotas.DailyQuotaError):
        ask(Caller(user_id=me.pk))


def test_ten_videos_at_once_are_ten_pieces_of_work(caller: Caller):
    asked = rivals(10, lambda number: ask(caller, url_of(number)))

    assert len({one.job.run_id for one in asked}) == 10


def test_rivals_of_an_ending_run_all_end(default_strategy: Strategy, outside: Outside):
    """Whoever joins at the moment the work ends is ended with it, or is given the result."""
    callers = [Caller(user_id=make_unlimited_user().pk) for _ in range(12)]
    first = ask(callers[0]).job

    def deed(number: int) -> Any:
        return doing.finish(first) if number == 0 else ask(callers[number]).job

    rivals(12, deed)

    assert set(Job.objects.values_list("final_status", flat=True)) == {"partial"}
    assert Job.objects.count() == 12


def test_as_many_at_once_as_the_plan_allows(default_strategy: Strategy, outside: Outside):
    me = make_user()
    make_subscription(user=me, plan=make_plan(jobs_at_once=2))
    caller = Caller(user_id=me.pk)
    first = ask(caller, url_of(1)).job
    ask(caller, url_of(2))

    with pytest.raises(quotas.HeldQuotaError) as caught:
        ask(caller, url_of(3))
    ask(caller, url_of(1))  # the same work again costs nothing
    doing.finish(first)
    ask(caller, url_of(3))

    assert caught.value.code == "quota_exceeded"
    used = {use.quota: use.used for use in quotas.usage(me, now=timezone.now())}
    assert (used[quotas.JOBS_AT_ONCE], used[quotas.JOBS_PER_DAY]) == (2, 4)


def test_as_many_a_day_as_the_plan_allows(default_strategy: Strategy, outside: Outside):
    me = make_user()
    make_subscription(user=me, plan=make_plan(jobs_per_day=1))
    caller = Caller(user_id=me.pk)
    doing.finish(ask(caller, url_of(1)).job)

    with pytest.raises(quotas.DailyQuotaError) as caught:
        ask(caller, url_of(2))

    assert "resets_at" in caught.value.extra
    assert ask(caller, url_of(1)).job.cached  # a result that is there costs nothing


def test_staff_have_no_quota(default_strategy: Strategy):
    staff = Caller(user_id=make_staff().pk, is_staff=True)
    make_plan(is_default=False, jobs_at_once=0)

    assert [ask(staff, url_of(number)).is_new for number in range(5)] == [True] * 5


def test_rivals_of_one_user_cannot_both_take_the_last(default_strategy: Strategy):
    me = make_user()
    make_subscription(user=me, plan=make_plan(jobs_at_once=3))

    def deed(number: int) -> bool:
        try:
            return ask(Caller(user_id=me.pk), url_of(number)).is_new
        except quotas.HeldQuotaError:
            return False

    assert rivals(12, deed).count(True) == 3


def test_who_asks_after_the_last_has_left_begins_anew(caller: Caller, outside: Outside):
    """The old work may take a moment to stop; what it still does is no longer written."""
    found: list[enlisting.Asked] = []
    first = ask(caller).job

    def leaves_and_another_comes(_name: str) -> None:
        if not found:
            jobs.cancel(first, by=caller, now=timezone.now())
            found.append(ask(caller))

    outside.before_locate = leaves_and_another_comes
    doing.finish(first)
    second = doing.finish(found[0].job)

    first.refresh_from_db()
    assert (first.status, second.status) == ("canceled", "partial")
    assert found[0].is_new
    assert second.analysis.places.count() == 5


def test_a_cached_answer_costs_few_queries(
    caller: Caller, outside: Outside, record_property: Callable[[str, object], None]
):
    doing.finish(ask(caller).job)

    with CaptureQueriesContext(connection) as found:
        ask(caller)

    record_property("queries", len(found))
    assert len(found) <= 5, [query["sql"] for query in found]
