import logging
import os
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from project.core import claims, runs, working
from project.core.choices import RunStatus
from project.core.errors import InvalidInputError, PermanentError, TransientError
from project.core.models import Run, TaskTotals
from project.core.working import Work
from tests.factories import last_event, make_run, names_of, numbers_of

pytestmark = pytest.mark.django_db(transaction=True)


def execute(run: Run, handler: Any) -> Run:
    """Do ``run`` by ``handler`` and return what became of it."""
    working.execute(str(run.pk), handler, kind=run.kind)
    run.refresh_from_db()
    return run


def raising(error: BaseException) -> Any:
    def handler(work: Work) -> None:
        raise error

    return handler


def test_execute_does_the_work_and_ends_it():
    before = timezone.now()

    run = execute(make_run(), lambda work: None)

    assert (run.status, run.attempt, run.progress) == ("done", 1, 100.0)
    assert run.ended_at is not None
    assert run.ended_at >= before
    assert (run.claimed_until, run.error_type, run.error_message) == (None, "", "")
    assert names_of(run) == ["run_update", "run_update", "completed"]
    assert run.events.get(event="completed").data["status"] == "done"
    assert TaskTotals.objects.get(kind="tests.job").done == 1


def test_execute_twice_does_the_work_once():
    worked: list[int] = []
    run = execute(make_run(), lambda work: worked.append(1))

    execute(run, lambda work: worked.append(2))

    assert worked == [1]
    assert names_of(run) == ["run_update", "run_update", "completed"]


def test_execute_of_a_run_that_another_worker_has_does_nothing():
    run = execute(make_run(status=RunStatus.RUNNING), raising(AssertionError("not here")))

    assert (run.status, run.attempt) == ("running", 1)


def test_work_sees_what_was_asked_and_kept():
    seen: list[Any] = []
    run = make_run(payload={"a": 1}, checkpoint={"done": 3})

    execute(run, lambda work: seen.extend([work.payload, work.checkpoint]))

    assert seen == [{"a": 1}, {"done": 3}]


def test_report_writes_a_new_phase_at_once():
    seen: list[Any] = []

    def handler(work: Work) -> None:
        work.report(phase="fetching", progress=10, counts={"pages": 1})
        seen.append(Run.objects.values_list("phase", "progress", "counts").get(pk=work.run.pk))

    run = execute(make_run(), handler)

    assert seen == [("fetching", 10.0, {"pages": 1})]
    told = run.events.get(seq=3).data
    assert (told["phase"], told["progress"], told["counts"]) == ("fetching", 10.0, {"pages": 1})


def test_report_of_the_same_phase_is_written_seldom_but_the_last_word_counts(monkeypatch):
    monkeypatch.setattr(working, "REPORT_EVERY_S", 3600.0)

    def handler(work: Work) -> None:
        work.report(phase="fetching")
        for page in range(100):
            work.report(phase="fetching", progress=page, counts={"pages": page})
        work.leave_partial("half of it")

    run = execute(make_run(), handler)

    assert len(numbers_of(run)) == 4  # asked, taken, phase, end
    assert (run.progress, run.counts) == (99.0, {"pages": 99})


def test_report_merges_counts(monkeypatch):
    monkeypatch.setattr(working, "REPORT_EVERY_S", 0.0)

    def handler(work: Work) -> None:
        work.report(counts={"a": 1})
        work.report(counts={"b": 2})
        work.report(counts={"a": 3})

    run = execute(make_run(), handler)

    assert run.counts == {"a": 3, "b": 2}


def test_progress_never_goes_back_nor_beyond_its_range(monkeypatch):
    monkeypatch.setattr(working, "REPORT_EVERY_S", 0.0)

    def handler(work: Work) -> None:
        for progress in (-5, 10, 60, 30, 250, 70):
            work.report(progress=progress)

    run = execute(make_run(), handler)

    told = [event.data["progress"] for event in run.events.order_by("seq")]
    assert told == [0.0, 0.0, 0.0, 10.0, 60.0, 60.0, 100.0, 100.0, 100.0]


def test_keep_is_there_for_the_next_attempt():
    def first(work: Work) -> None:
        work.report(counts={"pages": 1})
        work.keep(done_ms=1)
        work.keep(rows=[1, 2])
        raise TransientError("away")

    seen: list[dict[str, Any]] = []
    run = execute(make_run(), first)
    Run.objects.filter(pk=run.pk).update(next_try_at=None)

    execute(run, lambda work: seen.append(work.checkpoint))

    assert seen == [{"done_ms": 1, "rows": [1, 2]}]
    assert (run.status, run.counts, run.attempt) == ("done", {"pages": 1}, 2)


def test_event_of_an_app_joins_the_history():
    def handler(work: Work) -> None:
        work.event("partial_locations", {"found": 2})

    run = execute(make_run(), handler)

    assert names_of(run) == ["run_update", "run_update", "partial_locations", "completed"]
    assert run.events.get(event="partial_locations").data == {"found": 2}


def test_partial_is_an_end_of_its_own():
    def handler(work: Work) -> None:
        work.report(phase="fetching", progress=40)
        work.leave_partial("3 of 5 sources")

    run = execute(make_run(), handler)

    assert (run.status, run.progress) == ("partial", 40.0)
    assert (run.error_type, run.error_message) == ("partial", "3 of 5 sources")
    assert last_event(run).event == "completed"
    assert last_event(run).data["status"] == "partial"
    assert TaskTotals.objects.get(kind="tests.job").done == 1


def test_transient_failure_is_tried_again_later():
    before = timezone.now()

    run = execute(make_run(), raising(TransientError("venue is away")))

    assert (run.status, run.attempt, run.sent_at, run.claimed_until) == ("queued", 1, None, None)
    assert (run.error_type, run.error_message) == ("unavailable", "venue is away")
    assert run.next_try_at is not None
    waits_s = (run.next_try_at - before).total_seconds()
    assert 5 * 0.75 <= waits_s <= 5 * 1.25 + 5
    last = last_event(run)
    assert (last.event, last.data["status"]) == ("run_update", "queued")
    assert last.data["next_try_at"] is not None


def test_transient_failure_waits_as_long_as_the_other_side_asked():
    before = timezone.now()

    run = execute(make_run(), raising(TransientError("slow down", retry_after_s=900)))

    assert run.next_try_at is not None
    assert 900 <= (run.next_try_at - before).total_seconds() <= 910


def test_transient_failure_of_the_last_attempt_is_final():
    run = execute(make_run(attempt=2), raising(TransientError("venue is away")))

    assert (run.status, run.attempt, run.next_try_at) == ("failed", 3, None)
    assert (run.error_type, run.error_message) == (
        "unavailable",
        "venue is away (after 3 attempts)",
    )
    assert last_event(run).event == "error"
    assert last_event(run).data["error"] == {
        "type": "unavailable",
        "message": "venue is away (after 3 attempts)",
    }


def test_database_that_was_away_for_a_moment_is_tried_again():
    run = execute(make_run(), raising(OperationalError("server closed the connection")))

    assert (run.status, run.error_type) == ("queued", "unavailable")
    assert run.error_message == "OperationalError: server closed the connection"


@pytest.mark.parametrize("error", [InvalidInputError("no such market"), PermanentError("refused")])
def test_expected_failure_ends_the_run_with_its_code(error, caplog):
    run = execute(make_run(), raising(error))

    assert (run.status, run.error_type, run.error_message) == ("failed", error.code, str(error))
    assert caplog.records == []


def test_bug_ends_its_run_with_its_name_and_not_the_worker(caplog):
    caplog.set_level(logging.ERROR)

    run = execute(make_run(), raising(ZeroDivisionError("division by zero")))

    assert (run.status, run.error_type) == ("failed", "ZeroDivisionError")
    assert run.error_message == "division by zero"
    assert [record.message for record in caplog.records] == ["run failed"]
    totals = TaskTotals.objects.get(kind="tests.job")
    assert (totals.failed, totals.last_error_type) == (1, "ZeroDivisionError")


@pytest.mark.parametrize("family", [TransientError, PermanentError, RuntimeError])
def test_errors_never_show_credentials(family):
    run = execute(make_run(), raising(family("no way through socks5://ann:s3cret@10.0.0.1:1080")))

    assert run.error_message == "no way through socks5://***@10.0.0.1:1080"
    assert "s3cret" not in str([event.data for event in run.events.all()])


def test_cancel_stops_the_work_at_its_next_safe_point(caller):
    def handler(work: Work) -> None:
        work.report(phase="fetching", progress=30)
        runs.cancel(Run.objects.get(pk=work.run.pk), by=caller, now=timezone.now())
        claims.look([work._claim])
        work.report(phase="saving")
        pytest.fail("went on")

    run = execute(make_run(), handler)

    assert (run.status, run.phase, run.progress) == ("canceled", "fetching", 30.0)
    assert last_event(run).event == "canceled"
    assert TaskTotals.objects.get(kind="tests.job").canceled == 1


def test_cancel_that_meets_a_failing_attempt_is_not_forgotten(caller):
    def handler(work: Work) -> None:
        runs.cancel(Run.objects.get(pk=work.run.pk), by=caller, now=timezone.now())
        raise TransientError("away")

    run = execute(make_run(), handler)

    assert (run.status, run.next_try_at) == ("canceled", None)


def test_worker_that_stops_puts_its_run_back_for_another():
    def handler(work: Work) -> None:
        work.report(phase="fetching", progress=30)
        work.keep(page=3)
        work._claim.stop_reason = "stopping"
        work.check()

    run = execute(make_run(), handler)

    assert (run.status, run.progress, run.checkpoint) == ("queued", 30.0, {"page": 3})
    assert (run.error_type, run.sent_at) == ("", None)
    assert run.next_try_at is not None
    assert run.next_try_at <= timezone.now()


def test_worker_that_is_stopping_begins_nothing(monkeypatch):
    monkeypatch.setattr(claims.keeper, "is_stopping", True)
    monkeypatch.setattr(claims.keeper, "_pid", os.getpid())

    run = execute(make_run(), raising(AssertionError("begun")))

    assert run.status == "queued"


def test_work_that_takes_too_long_is_tried_again_then_fails():
    def handler(work: Work) -> None:
        work._claim.stop_reason = "overrun"
        work.check()

    run = execute(make_run(), handler)
    again = execute(make_run(attempt=2), handler)

    assert (run.status, run.error_message) == ("queued", "took longer than 60 s")
    assert (again.status, again.error_message) == (
        "failed",
        "took longer than 60 s (after 3 attempts)",
    )


@pytest.mark.parametrize(
    "deed",
    [
        lambda work: work.report(phase="saving"),
        lambda work: work.keep(page=9),
        lambda work: work.event("partial_locations", {}),
        lambda work: None,  # the end itself
    ],
)
def test_overslept_worker_changes_nothing_by_any_way(deed):
    def handler(work: Work) -> None:
        Run.objects.filter(pk=work.run.pk).update(attempt=2)  # another worker took over
        before.append(Run.objects.values().get(pk=work.run.pk))
        deed(work)

    before: list[Any] = []
    run = execute(make_run(), handler)

    assert Run.objects.values().get(pk=run.pk) == before[0]
    assert numbers_of(run) == [1, 2]


def test_requeue_keeps_what_was_done(now):
    run = make_run()
    claim = claims.take(str(run.pk), limit_s=60, now=now)
    claim.run.progress, claim.run.counts = 55.0, {"pages": 5}

    assert working.requeue(claim, after_s=0, error=None)

    run.refresh_from_db()
    assert (run.status, run.progress, run.counts) == ("queued", 55.0, {"pages": 5})


@given(attempt=st.integers(1, 5000), asked_s=st.none() | st.floats(0, 86_400))
def test_backoff_grows_within_bounds(attempt, asked_s):
    waits_s = working.backoff_s(attempt, asked_s=asked_s)

    expected_s = min(working.RETRY_MAX_S, working.RETRY_BASE_S * 2.0 ** min(attempt - 1, 20))
    assert waits_s >= (asked_s or 0)
    assert 0.75 * expected_s <= waits_s <= max(asked_s or 0, 1.25 * expected_s)


@pytest.mark.django_db(transaction=True)
def test_orderly_stops_of_its_worker_are_not_attempts():
    run = make_run()

    def stops(work):
        work._claim.stop_reason = "stopping"
        work.check()

    for _ in range(7):
        working.execute(str(run.pk), stops, kind=run.kind)

    run.refresh_from_db()
    assert (run.status, run.attempt, run.stops, run.tries) == (RunStatus.QUEUED, 7, 7, 0)


def test_an_event_of_the_apps_own_takes_progress_and_counts_along():
    def handler(work: Work) -> None:
        work.report(progress=20)
        work.report(counts={"seen": 3})  # not due yet: told with the event
        work.event("found", {"progress": 30.456, "x": 1}, counts={"located": 2})
        work.event("found", {"progress": 25})
        kept.append(Run.objects.values_list("progress", "counts").get())

    kept: list[Any] = []
    run = execute(make_run(), handler)

    found = [event.data for event in run.events.filter(event="found")]
    assert found == [{"progress": 30.46, "x": 1}, {"progress": 30.46}]
    assert kept == [(30.456, {"seen": 3, "located": 2})]


def test_an_event_is_a_safe_point():
    def handler(work: Work) -> None:
        work._claim.stop_reason = "canceled"
        work.event("found", {})

    run = execute(make_run(), handler)

    assert (run.status, names_of(run)[-1]) == ("canceled", "canceled")
    assert "found" not in names_of(run)


def test_work_that_is_put_off_waits_at_no_attempts_cost():
    before = timezone.now()

    run = execute(make_run(), lambda work: work.put_off(after_s=60))

    assert (run.status, run.attempt, run.tries, run.error_type) == ("queued", 1, 0, "")
    assert run.next_try_at is not None
    assert (run.next_try_at - before).total_seconds() >= 60
