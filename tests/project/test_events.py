from datetime import timedelta

import pytest
from django.utils import timezone

from project.core import events, totals
from project.core.choices import RunStatus
from project.core.models import Run, RunEvent
from tests.factories import make_event, make_run, names_of, numbers_of
from tests.project.rivals import rivals


@pytest.mark.django_db
def test_record_changes_the_run_and_says_so(now):
    run = make_run()

    assert events.record(run, where={"status": "queued"}, changes={"phase": "x"}, now=now)

    assert run.phase == Run.objects.get(pk=run.pk).phase == "x"
    last = run.events.get(seq=2)
    assert (last.event, last.data["phase"], last.created_at) == ("run_update", "x", now)


@pytest.mark.django_db
def test_record_whose_condition_no_longer_holds_changes_nothing(now):
    run = make_run()

    assert not events.record(run, where={"status": "running"}, changes={"phase": "x"}, now=now)

    assert (run.phase, run.event_seq, numbers_of(run)) == ("", 1, [1])
    assert Run.objects.get(pk=run.pk).phase == ""


@pytest.mark.parametrize("broken", ["event", "totals"])
@pytest.mark.django_db(transaction=True)
def test_record_is_whole_or_not_at_all(broken, now, monkeypatch):
    class BrokenError(Exception):
        pass

    def fail(*args: object, **kwargs: object) -> None:
        raise BrokenError

    run = make_run()
    if broken == "event":
        monkeypatch.setattr(RunEvent.objects, "create", fail)
    else:
        monkeypatch.setattr(totals, "add", fail)
    end = {"status": RunStatus.DONE, "ended_at": now}

    with pytest.raises(BrokenError):
        events.record(run, where={}, changes=end, now=now)

    monkeypatch.undo()
    run.refresh_from_db()
    assert (run.status, run.event_seq, numbers_of(run)) == ("queued", 1, [1])


@pytest.mark.parametrize(
    ("status", "event"),
    [
        ("done", "completed"),
        ("partial", "completed"),
        ("failed", "error"),
        ("canceled", "canceled"),
    ],
)
@pytest.mark.django_db
def test_record_of_an_end_writes_the_final_event(status, event, now):
    run = make_run(error_type="timeout", error_message="too slow")

    events.record(run, where={}, changes={"status": status, "ended_at": now}, now=now)

    last = run.events.get(seq=2)
    assert (last.event, last.data["status"]) == (event, status)
    error = {"type": "timeout", "message": "too slow"} if status == "failed" else None
    assert last.data.get("error") == error


@pytest.mark.django_db(transaction=True)
def test_numbers_are_contiguous_under_four_writers(now):
    run = make_run()

    def write(number: int) -> None:
        mine = Run.objects.get(pk=run.pk)
        for turn in range(50):
            assert events.append(mine, "note", {"by": number, "turn": turn}, where={}, now=now)

    rivals(4, write)

    assert numbers_of(run) == list(range(1, 202))
    assert Run.objects.get(pk=run.pk).event_seq == 201
    for number in range(4):
        notes = run.events.filter(data__by=number).order_by("seq")
        assert [note.data["turn"] for note in notes] == list(range(50))


@pytest.mark.django_db
def test_thin_drops_details_after_a_week_and_runs_after_ninety_days(now):
    week, ago = now - timedelta(days=8), now - timedelta(days=91)
    run = make_run(status=RunStatus.DONE, now=week)
    for name in ("run_update", "phase_update", "partial_locations", "completed"):
        make_event(run, event=name, created_at=week)
    working = make_run(status=RunStatus.RUNNING, now=ago)
    make_event(working, created_at=ago)
    fresh = make_run(status=RunStatus.DONE, now=now - timedelta(days=6))
    make_event(fresh, created_at=now - timedelta(days=6))
    make_run(status=RunStatus.FAILED, now=ago)

    gone = events.thin(now=now)

    assert gone == {"events": 2, "runs": 1}
    assert names_of(run) == ["run_update", "phase_update", "completed"]
    assert numbers_of(run) == [1, 3, 5]
    assert (numbers_of(working), numbers_of(fresh)) == ([1, 2], [1, 2])
    assert Run.objects.count() == 3


@pytest.mark.django_db
def test_thin_works_in_batches(now, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(events, "BATCH", 2)
    old = now - timedelta(days=8)
    run = make_run(status=RunStatus.DONE, now=old)
    for _ in range(5):
        make_event(run, created_at=old)

    assert events.thin(now=now)["events"] == 5

    assert numbers_of(run) == [1]


@pytest.mark.django_db
def test_an_app_is_told_of_the_end_of_its_runs_alone_and_once(monkeypatch):
    told: list[tuple[str, str, int]] = []
    monkeypatch.setattr(events, "_when_ended", {})
    events.when_ended(
        "tests.job", lambda run, now: told.append((str(run.pk), run.status, run.event_seq))
    )
    mine, other = make_run(), make_run(kind="tests.other")
    now = timezone.now()
    end = {"status": "canceled", "ended_at": now}

    events.record(mine, where={}, changes={"progress": 10}, now=now)
    for run in (mine, other, mine):
        events.record(run, where={"status": "queued"}, changes=end, now=now)

    assert told == [(str(mine.pk), "canceled", 3)]


@pytest.mark.django_db
def test_what_an_app_writes_at_the_end_of_a_run_is_there_with_the_end_or_not_at_all(monkeypatch):
    def fails(run: Run, now: object) -> None:
        Run.objects.filter(pk=run.pk).update(subject="touched")
        raise ValueError

    monkeypatch.setattr(events, "_when_ended", {"tests.job": fails})
    run, now = make_run(), timezone.now()

    with pytest.raises(ValueError):  # noqa: PT011 -- ours
        events.record(run, where={}, changes={"status": "failed", "ended_at": now}, now=now)

    run.refresh_from_db()
    assert (run.status, run.subject, names_of(run)) == ("queued", "", ["run_update"])
