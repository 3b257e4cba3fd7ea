import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from project.core import events, requests, runs
from project.core.callers import NOBODY, SYSTEM, Caller
from project.core.choices import FINAL, RunStatus
from project.core.models import Run, TaskTotals
from tests.factories import make_run, make_user, names_of
from tests.project.rivals import rivals


@pytest.mark.django_db(transaction=True)
def test_submit_writes_the_run_and_its_first_event_and_wakes_a_worker(now, caller, sent):
    ask = runs.Ask(
        kind="tests.job", subject="BTC", about=("core.run", 7), payload={"a": 1}, schedule="daily"
    )

    run = runs.submit(ask, by=caller, now=now)

    run.refresh_from_db()
    assert (run.status, run.attempt, run.progress) == ("queued", 0, 0.0)
    assert (run.subject, run.subject_type, run.subject_id) == ("BTC", "core.run", "7")
    assert (run.payload, run.schedule, run.requested_by_id) == ({"a": 1}, "daily", caller.user_id)
    assert (run.created_at, run.sent_at) == (now, now)
    (event,) = run.events.all()
    assert (event.seq, event.event, event.created_at) == (1, "run_update", now)
    assert event.data == {
        "run_id": str(run.pk),
        "status": "queued",
        "phase": "",
        "progress": 0.0,
        "counts": {},
        "attempt": 0,
        "next_try_at": None,
        "ts": "2026-01-05T12:00:00.000Z",
    }
    assert sent() == [("tests.job", str(run.pk))]


@pytest.mark.django_db(transaction=True)
def test_submit_that_is_rolled_back_leaves_nothing_and_wakes_nobody(now, sent):
    class WrongError(Exception):
        pass

    with pytest.raises(WrongError), transaction.atomic():  # noqa: PT012 -- the two together
        runs.submit(runs.Ask(kind="tests.job"), by=SYSTEM, now=now)
        assert sent() == []
        raise WrongError

    assert not Run.objects.exists()
    assert sent() == []


@pytest.mark.django_db
def test_submit_carries_the_request_id(now, caller):
    import structlog

    with structlog.contextvars.bound_contextvars(request_id="abc"):
        assert requests.current_id() == "abc"
        given = runs.submit(runs.Ask(kind="tests.job"), by=caller, now=now)
    made = runs.submit(runs.Ask(kind="tests.job"), by=SYSTEM, now=now)

    assert given.request_id == "abc"
    assert len(made.request_id) == 32


@pytest.mark.django_db
def test_submit_of_an_unknown_kind_is_a_bug(now):
    with pytest.raises(KeyError):
        runs.submit(runs.Ask(kind="tests.nothing"), by=SYSTEM, now=now)

    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_submit_lets_one_of_many_rivals_have_an_exclusive_key(now):
    def ask(number: int) -> tuple[str, str]:
        try:
            run = runs.submit(runs.Ask(kind="tests.job", exclusive_key="k"), by=SYSTEM, now=now)
        except runs.AlreadyRunningError as busy:
            return "busy", busy.extra["run_id"]
        return "run", str(run.pk)

    came = rivals(12, ask)

    run = Run.objects.get()
    assert sorted(came) == [("busy", str(run.pk))] * 11 + [("run", str(run.pk))]
    assert names_of(run) == ["run_update"]


@pytest.mark.django_db
def test_submit_with_the_key_of_an_ended_run_is_fine(now):
    make_run(exclusive_key="k", status=RunStatus.DONE)

    runs.submit(runs.Ask(kind="tests.job", exclusive_key="k"), by=SYSTEM, now=now)

    assert Run.objects.count() == 2


@pytest.mark.django_db
def test_submit_of_a_lonely_kind_needs_no_key_to_be_alone(now):
    first = runs.submit(runs.Ask(kind="tests.alone"), by=SYSTEM, now=now)

    with pytest.raises(runs.AlreadyRunningError) as busy:
        runs.submit(runs.Ask(kind="tests.alone"), by=SYSTEM, now=now)

    assert busy.value.extra == {"run_id": str(first.pk)}
    runs.submit(runs.Ask(kind="tests.alone", exclusive_key="own"), by=SYSTEM, now=now)
    assert Run.objects.count() == 2


@pytest.mark.django_db
def test_find_hides_runs_of_strangers(caller):
    mine = make_run(requested_by_id=caller.user_id)
    strangers = make_run(requested_by=make_user())
    systems = make_run()

    assert runs.find(mine.pk, by=caller) == mine
    for hidden in (strangers.pk, systems.pk, uuid.uuid4(), "no-uuid"):
        with pytest.raises(runs.RunNotFoundError):
            runs.find(hidden, by=caller)
    with pytest.raises(runs.RunNotFoundError):
        runs.find(systems.pk, by=NOBODY)
    assert runs.find(strangers.pk, by=Caller(user_id=1, is_staff=True)) == strangers


@pytest.mark.django_db
def test_cancel_ends_a_queued_run_at_once_and_counts_it(now, caller):
    run = make_run(next_try_at=now)

    canceled = runs.cancel(run, by=caller, now=now)

    run.refresh_from_db()
    assert canceled.status == run.status == RunStatus.CANCELED
    assert (run.ended_at, run.cancel_asked_at, run.next_try_at) == (now, now, None)
    assert names_of(run) == ["run_update", "canceled"]
    assert TaskTotals.objects.get(kind="tests.job").canceled == 1


@pytest.mark.django_db
def test_cancel_asks_a_working_run_to_stop(now, caller):
    run = make_run(status=RunStatus.RUNNING)

    canceled = runs.cancel(run, by=caller, now=now)

    assert (canceled.status, canceled.cancel_asked_at) == (RunStatus.RUNNING, now)
    assert names_of(run) == ["run_update"]


@pytest.mark.django_db
def test_cancel_of_a_canceled_run_changes_nothing(now, caller):
    run = runs.cancel(make_run(), by=caller, now=now)
    before = Run.objects.values().get(pk=run.pk)

    again = runs.cancel(run, by=caller, now=now)

    assert again.status == RunStatus.CANCELED
    assert Run.objects.values().get(pk=run.pk) == before


@pytest.mark.parametrize("status", [status for status in FINAL if status != RunStatus.CANCELED])
@pytest.mark.django_db
def test_cancel_of_an_ended_run_is_refused(status, now, caller):
    run = make_run(status=status)

    with pytest.raises(runs.RunEndedError, match=status):
        runs.cancel(run, by=caller, now=now)

    run.refresh_from_db()
    assert (run.status, run.cancel_asked_at) == (status, None)


@pytest.mark.django_db
def test_cancel_by_somebody_whose_page_is_old_meets_the_run_as_it_is(now, caller):
    run = make_run()
    Run.objects.filter(pk=run.pk).update(
        status=RunStatus.DONE, ended_at=now
    )  # it ended since the page was read

    with pytest.raises(runs.RunEndedError):
        runs.cancel(run, by=caller, now=now)


@pytest.mark.django_db
def test_cancel_while_the_worker_puts_the_run_back_is_not_lost(now, caller, monkeypatch):
    run = make_run(status=RunStatus.RUNNING)
    record = events.record
    calls: list[bool] = []

    def record_and_put_back(run: Run, **how: Any) -> bool:
        changed = record(run, **how)
        if not calls:  # between the two looks of ``cancel`` the worker gives the run back
            put_back = {"status": RunStatus.QUEUED, "claimed_until": None}
            Run.objects.filter(pk=run.pk).update(**put_back)
        calls.append(changed)
        return changed

    monkeypatch.setattr(events, "record", record_and_put_back)

    canceled = runs.cancel(run, by=caller, now=now)

    assert (canceled.status, calls) == (RunStatus.CANCELED, [False, True])


@pytest.mark.django_db(transaction=True)
def test_cancel_by_rivals_writes_one_final_event(now, caller):
    run = make_run()

    came = rivals(8, lambda _: runs.cancel(Run.objects.get(pk=run.pk), by=caller, now=now).status)

    assert set(came) == {RunStatus.CANCELED}
    assert names_of(run) == ["run_update", "canceled"]
    assert TaskTotals.objects.get(kind="tests.job").canceled == 1


@pytest.mark.django_db
def test_retry_asks_for_the_same_work_as_a_run_of_its_own(now, caller):
    run = make_run(
        status=RunStatus.FAILED,
        subject="BTC",
        subject_type="core.run",
        subject_id="7",
        payload={"a": 1},
        exclusive_key="k",
        checkpoint={"done": 3},
    )

    again = runs.retry(run, by=caller, now=now)

    again.refresh_from_db()
    assert (again.retry_of_id, again.status, again.attempt) == (run.pk, "queued", 0)
    assert (again.kind, again.subject, again.payload) == ("tests.job", "BTC", {"a": 1})
    assert (again.subject_type, again.subject_id, again.exclusive_key) == ("core.run", "7", "k")
    assert (again.checkpoint, again.requested_by_id) == ({}, caller.user_id)


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.RUNNING])
@pytest.mark.django_db
def test_retry_of_an_unended_run_is_refused(status, now, caller):
    run = make_run(status=status)

    with pytest.raises(runs.RunNotEndedError, match=status):
        runs.retry(run, by=caller, now=now)

    assert Run.objects.count() == 1


@pytest.mark.django_db
def test_retry_while_another_run_has_the_key_names_it(now, caller):
    run = make_run(status=RunStatus.FAILED, exclusive_key="k")
    other = make_run(exclusive_key="k")

    with pytest.raises(runs.AlreadyRunningError) as busy:
        runs.retry(run, by=caller, now=now)

    assert busy.value.extra == {"run_id": str(other.pk)}


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("run_ended_at_says_it_ended", {"status": RunStatus.DONE, "ended_at": None}),
        ("run_is_claimed_while_running", {"status": RunStatus.RUNNING, "claimed_until": None}),
        ("run_progress_is_a_percentage", {"progress": 101}),
        ("run_progress_is_a_percentage", {"progress": -1}),
    ],
)
@pytest.mark.django_db
def test_run_that_breaks_a_rule_is_refused_by_the_database(constraint, fields):
    with pytest.raises(IntegrityError, match=constraint):
        make_run(**fields)


@pytest.mark.django_db
def test_two_unended_runs_with_one_key_are_refused_by_the_database():
    make_run(exclusive_key="k")

    with pytest.raises(IntegrityError, match="exclusive_key"):
        make_run(exclusive_key="k")


@pytest.mark.django_db
def test_two_events_with_one_number_are_refused_by_the_database():
    run = make_run()

    with pytest.raises(IntegrityError):
        run.events.create(seq=1, event="run_update")


def test_rivals_really_meet():
    names = rivals(3, lambda _: threading.current_thread().name)

    assert len(set(names)) == 3


@pytest.mark.django_db(transaction=True)
def test_a_run_that_waits_for_a_moment_is_sent_when_it_is_woken(now, sent):
    later = now + timedelta(hours=1)
    run = runs.submit(runs.Ask(kind="tests.job", not_before=later), by=SYSTEM, now=now)
    assert (run.next_try_at, run.sent_at, sent()) == (later, None, [])

    woken = runs.wake(run, now=now)

    run.refresh_from_db()
    assert (woken, run.next_try_at, run.sent_at) == (True, now, now)
    assert sent() == [("tests.job", str(run.pk))]
    assert not runs.wake(run, now=now)


@pytest.mark.django_db(transaction=True)
def test_a_moment_that_has_passed_holds_nothing_back(now, sent):
    run = runs.submit(runs.Ask(kind="tests.job", not_before=now), by=SYSTEM, now=now)

    assert run.next_try_at is None
    assert sent() == [("tests.job", str(run.pk))]


@pytest.mark.django_db
def test_an_app_says_what_cancel_and_retry_of_its_kind_mean(now, caller, monkeypatch):
    asked: list[str] = []

    def told(name: str) -> Any:
        def verb(run: Run, *, by: Any, now: Any) -> Run:
            asked.append(name)
            return run

        return verb

    monkeypatch.setattr(runs, "_steerings", {})
    runs.steer("tests.job", runs.Steering(cancel=told("cancel"), retry=told("retry")))
    steered, other = make_run(), make_run(kind="tests.other")

    runs.cancel(steered, by=caller, now=now)
    runs.cancel(other, by=caller, now=now)
    with pytest.raises(runs.RunNotEndedError):
        runs.retry(steered, by=caller, now=now)
    runs.retry(make_run(status="failed"), by=caller, now=now)

    steered.refresh_from_db()
    assert asked == ["cancel", "retry"]
    assert (steered.status, other.status) == ("queued", "canceled")


@pytest.mark.django_db
def test_many_are_asked_for_all_or_none(now):
    asks = [runs.Ask(kind="core.clean_up", exclusive_key=f"key-{n}") for n in range(3)]

    found = runs.submit_all(asks, by=SYSTEM, now=now)

    assert list(Run.objects.order_by("exclusive_key")) == found
    assert all(run.events.count() == run.event_seq == 1 for run in found)
    others = [runs.Ask(kind="core.clean_up", exclusive_key=key) for key in ("new", "key-1")]
    with pytest.raises(runs.AlreadyRunningError) as busy:
        runs.submit_all(others, by=SYSTEM, now=now)
    assert busy.value.extra == {"run_id": str(found[1].pk)}
    assert Run.objects.count() == 3
