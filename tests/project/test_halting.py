"""A switch stops work where it is safe, keeps it, and lets it go on where it was."""

from datetime import timedelta
from typing import Any

import pytest

from project.core import beat, claims, halting, jobs, sweeping, switches, working
from project.core.callers import SYSTEM, Caller
from project.core.choices import RunStatus
from project.core.models import AuditEntry, Halt, Run
from project.core.switches import Switch
from tests.factories import make_job, make_run, make_staff
from tests.project.rivals import rivals


@pytest.fixture
def switch(monkeypatch: Any) -> Switch:
    monkeypatch.setattr(switches, "_switches", {})
    return switches.register(Switch("tests", "Testing", "No test.", ("tests.job", "tests.other")))


@pytest.mark.django_db
def test_nobody_takes_what_is_stopped_until_it_goes_on(switch, now):
    run, other = make_run(), make_run(kind="tests.alone")

    assert halting.stop(switch, why="too hot", by=SYSTEM, now=now) is True
    with pytest.raises(claims.ClaimedError):
        claims.take(str(run.pk), limit_s=60, now=now)
    claims.take(str(other.pk), limit_s=60, now=now)
    assert halting.release(switch, by=SYSTEM, now=now) is True

    assert claims.take(str(run.pk), limit_s=60, now=now).run.pk == run.pk


@pytest.mark.django_db
def test_stopping_and_releasing_twice_changes_nothing(switch, now):
    later = now + timedelta(hours=1)
    done = [
        halting.release(switch, by=SYSTEM, now=now),
        halting.stop(switch, why="once", by=SYSTEM, now=now),
        halting.stop(switch, why="twice", by=SYSTEM, now=later),
        halting.release(switch, by=SYSTEM, now=later),
        halting.release(switch, by=SYSTEM, now=later),
    ]

    assert done == [False, True, False, True, False]
    assert not Halt.objects.exists()
    assert AuditEntry.objects.count() == 2


@pytest.mark.django_db
def test_who_stopped_it_when_and_why_is_known_and_audited(switch, now):
    ada = make_staff(email="ada@example.org")

    halting.stop(switch, why="too hot", by=Caller(user_id=ada.pk, is_staff=True), now=now)

    [halt] = halting.off()
    assert (halt.switch, halt.since, halt.by, halt.why) == ("tests", now, ada, "too hot")
    entry = AuditEntry.objects.get()
    assert (entry.user_name, entry.said) == ("ada@example.org", "Stopped: Testing. too hot")
    assert entry.changes == [{"name": "Testing", "before": "on", "after": "off"}]


@pytest.mark.django_db(transaction=True)
def test_of_rivals_one_stops_and_one_releases(switch, now):
    stopped = rivals(6, lambda _: halting.stop(switch, why="", by=SYSTEM, now=now))
    released = rivals(6, lambda _: halting.release(switch, by=SYSTEM, now=now))

    assert (sorted(stopped), sorted(released)) == ([False] * 5 + [True], [False] * 5 + [True])
    assert AuditEntry.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_work_lays_down_and_goes_on_from_its_checkpoint(switch, now):
    run = make_run()
    seen = []

    def handler(work: working.Work) -> None:
        seen.append(work.checkpoint.get("done", 0))
        work.keep(done=len(seen))
        if len(seen) == 1:
            halting.stop(switch, why="", by=SYSTEM, now=now)
            claims.look([work._claim])
        work.check()

    working.execute(str(run.pk), handler, kind="tests.job")
    run.refresh_from_db()
    assert (run.status, run.stops, run.error_type) == (RunStatus.QUEUED, 1, "")
    working.execute(str(run.pk), handler, kind="tests.job")
    assert seen == [0]
    halting.release(switch, by=SYSTEM, now=now)
    working.execute(str(run.pk), handler, kind="tests.job")

    run.refresh_from_db()
    assert (run.status, seen) == (RunStatus.DONE, [0, 1])


@pytest.mark.django_db(transaction=True)
def test_what_waited_is_sent_at_once_when_it_goes_on(switch, now, sent):
    run = make_run(sent_at=now)
    halting.stop(switch, why="", by=SYSTEM, now=now)
    later = now + timedelta(minutes=5)

    sweeping.sweep(idle=4, now=later)
    assert sent() == []
    halting.release(switch, by=SYSTEM, now=later)
    sweeping.sweep(idle=4, now=later)

    assert sent() == [("tests.job", str(run.pk))]


@pytest.mark.django_db
def test_periodic_jobs_are_passed_over_meanwhile(switch, now):
    job = make_job(every_s=60)
    halting.stop(switch, why="", by=SYSTEM, now=now)

    beat.start(job, now=now)
    with pytest.raises(halting.HaltedError, match="Testing is switched off since 2026-01-05 12:00"):
        jobs.run_now(job, by=SYSTEM, now=now)

    assert not Run.objects.exists()


@pytest.mark.django_db
def test_states_count_the_work_that_a_switch_concerns(switch, now):
    make_run()
    make_run(kind="tests.other")
    make_run(status=RunStatus.RUNNING)
    make_run(kind="tests.alone")
    make_run(status=RunStatus.DONE)

    [state] = halting.states()

    assert (state.switch, state.halt, state.waiting, state.running) == (switch, None, 2, 1)


def test_find_knows_no_other_switch(switch):
    assert halting.find("tests") == switch
    with pytest.raises(halting.NoSuchSwitchError):
        halting.find("others")
