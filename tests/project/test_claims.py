import os
import threading
import time
from datetime import timedelta

import pytest

from project.core import claims, events, processes, runs
from project.core.callers import NOBODY
from project.core.choices import FINAL, RunStatus
from project.core.claims import CLAIM_FOR, Claim, Keeper
from project.core.models import Run
from tests.factories import last_event, make_run, names_of
from tests.project.rivals import rivals


def claim_of(run: Run, **fields: object) -> Claim:
    return Claim(**{"run": run, "limit_s": 60.0, **fields})  # type: ignore[arg-type]


@pytest.mark.django_db
def test_take_makes_the_run_this_workers(now):
    run = make_run(next_try_at=now)

    claim = claims.take(str(run.pk), limit_s=60, now=now)

    run.refresh_from_db()
    assert (run.status, run.attempt, run.worker) == ("running", 1, processes.own_name())
    assert (run.started_at, run.heartbeat_at, run.claimed_until) == (now, now, now + CLAIM_FOR)
    assert run.next_try_at is None
    assert claim.fence == {"attempt": 1, "status": "running"}
    assert names_of(run) == ["run_update", "run_update"]
    assert last_event(run).data["status"] == "running"


@pytest.mark.django_db
def test_take_of_a_second_attempt_keeps_the_first_start(now):
    run = make_run(attempt=1, started_at=now - timedelta(hours=1))

    claims.take(str(run.pk), limit_s=60, now=now)

    run.refresh_from_db()
    assert (run.attempt, run.started_at) == (2, now - timedelta(hours=1))


@pytest.mark.django_db(transaction=True)
def test_take_lets_one_of_twelve_rivals_have_the_run(now):
    run = make_run()

    def take(number: int) -> int:
        try:
            return claims.take(str(run.pk), limit_s=60, now=now).run.attempt
        except claims.ClaimedError:
            return 0

    came = rivals(12, take)

    assert sorted(came) == [0] * 11 + [1]
    assert names_of(run) == ["run_update", "run_update"]


@pytest.mark.parametrize("status", FINAL)
@pytest.mark.django_db
def test_take_of_an_ended_run_is_refused(status, now):
    run = make_run(status=status)

    with pytest.raises(claims.EndedError):
        claims.take(str(run.pk), limit_s=60, now=now)


@pytest.mark.django_db
def test_take_of_no_run_is_refused(now):
    with pytest.raises(claims.EndedError):
        claims.take("5f8b0b8e-0000-4000-8000-000000000000", limit_s=60, now=now)


@pytest.mark.django_db
def test_take_before_the_next_try_is_refused(now):
    run = make_run(next_try_at=now + timedelta(seconds=1))

    with pytest.raises(claims.ClaimedError):
        claims.take(str(run.pk), limit_s=60, now=now)

    late = claims.take(str(run.pk), limit_s=60, now=now + timedelta(seconds=1))
    assert late.run.attempt == 1


@pytest.mark.django_db
def test_take_leaves_a_dead_workers_run_to_the_sweeper(now):
    run = make_run(status=RunStatus.RUNNING, claimed_until=now - timedelta(hours=1), attempt=3)

    with pytest.raises(claims.ClaimedError):
        claims.take(str(run.pk), limit_s=60, now=now)

    run.refresh_from_db()
    assert (run.status, run.attempt) == ("running", 3)


@pytest.mark.django_db
def test_renew_moves_the_end_of_claims_that_hold(now):
    run = make_run(status=RunStatus.RUNNING, now=now)
    later = now + timedelta(seconds=10)

    claims.renew([claim_of(run)], now=later)

    run.refresh_from_db()
    assert (run.claimed_until, run.heartbeat_at) == (later + CLAIM_FOR, later)


@pytest.mark.parametrize(
    "lost",
    [{"stop_reason": "lost"}, {"limit_s": -1.0}, {"limit_s": -1.0, "stop_reason": "canceled"}],
)
@pytest.mark.django_db
def test_renew_lets_lost_and_overrun_claims_run_out(lost, now):
    run = make_run(status=RunStatus.RUNNING, now=now)

    claims.renew([claim_of(run, **lost)], now=now + timedelta(seconds=10))

    run.refresh_from_db()
    assert run.claimed_until == now + CLAIM_FOR


@pytest.mark.django_db
def test_renew_by_an_overslept_worker_changes_nothing(now):
    run = make_run(status=RunStatus.RUNNING, now=now)
    old = claim_of(Run.objects.get(pk=run.pk))
    Run.objects.filter(pk=run.pk).update(attempt=2)  # another worker took over

    claims.renew([old], now=now + timedelta(seconds=10))

    run.refresh_from_db()
    assert run.claimed_until == now + CLAIM_FOR


@pytest.mark.django_db
def test_look_tells_why_to_stop(now):
    going, canceled, lost, over, gone, canceled_and_over = (
        claim_of(make_run(status=RunStatus.RUNNING)) for _ in range(6)
    )
    for claim in (canceled, canceled_and_over):
        runs.cancel(Run.objects.get(pk=claim.run.pk), by=NOBODY, now=now)
    Run.objects.filter(pk=lost.run.pk).update(attempt=2)
    Run.objects.filter(pk=gone.run.pk).delete()
    over.limit_s = canceled_and_over.limit_s = -1

    found = [going, canceled, lost, over, gone, canceled_and_over]
    claims.look(found)

    told = [claim.stop_reason for claim in found]
    assert told == ["", "canceled", "lost", "overrun", "lost", "canceled"]


@pytest.mark.django_db
def test_look_costs_one_query_for_many_claims(django_assert_num_queries):
    found = [claim_of(make_run(status=RunStatus.RUNNING)) for _ in range(3)]

    with django_assert_num_queries(1):
        claims.look(found)


@pytest.mark.parametrize(
    ("over_s", "reason", "ends"),
    [
        (claims.OVERRUN_GRACE_S + 1, "overrun", True),
        (claims.OVERRUN_GRACE_S + 1, "canceled", True),  # ignores its cancel: it is hung
        (claims.OVERRUN_GRACE_S + 1, "lost", True),
        (claims.OVERRUN_GRACE_S - 1, "overrun", False),
        (-1, "canceled", False),
    ],
)
def test_process_ends_when_work_ignores_its_limit(over_s, reason, ends, monkeypatch):
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    run = Run(kind="tests.job", attempt=1)
    claim = claim_of(run, stop_reason=reason, limit_s=1.0)
    claim.began_s = time.monotonic() - 1.0 - over_s

    claims.restart_if_overrun([claim])

    assert left == ([70] if ends else [])


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(claims, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(claims, "RENEW_EVERY_S", 0.0)


def until(is_so, *, within_s: float = 10.0) -> None:
    """Wait for another thread."""
    pause, end = threading.Event(), time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end, "not in time"
        pause.wait(0.005)


@pytest.mark.django_db(transaction=True)
def test_keeper_renews_by_heartbeat_until_the_claim_is_let_go(quick, now):
    run = make_run(status=RunStatus.RUNNING, now=now)
    keeper = Keeper()
    claim = claim_of(run)

    keeper.watch(claim)
    until(lambda: Run.objects.get(pk=run.pk).claimed_until != now + CLAIM_FOR)
    assert keeper.held() == 1
    thread = keeper._thread
    keeper.unwatch(claim)

    assert thread is not None
    thread.join(10)
    assert not thread.is_alive()
    assert (keeper.held(), keeper._thread) == (0, None)


@pytest.mark.django_db(transaction=True)
def test_keeper_tells_a_cancel_within_its_looks(quick, now):
    run = make_run(status=RunStatus.RUNNING)
    keeper = Keeper()
    claim = claim_of(run)
    keeper.watch(claim)

    runs.cancel(run, by=NOBODY, now=now)

    until(lambda: claim.stop_reason == "canceled")
    keeper.unwatch(claim)


@pytest.mark.django_db(transaction=True)
def test_keeper_keeps_a_claim_that_comes_while_the_last_one_goes(quick, now, monkeypatch):
    """The thread that is about to end must not be taken for one that still keeps."""
    keeper = Keeper()
    for _ in range(30):
        claim = claim_of(make_run(status=RunStatus.RUNNING, now=now))
        keeper.watch(claim)
        keeper.unwatch(claim)
    last = make_run(status=RunStatus.RUNNING, now=now)
    claim = claim_of(last)

    keeper.watch(claim)

    until(lambda: Run.objects.get(pk=last.pk).claimed_until != now + CLAIM_FOR)
    keeper.unwatch(claim)


@pytest.mark.django_db(transaction=True)
def test_keeper_rests_between_looks_after_an_exchange_of_claims(now, monkeypatch):
    looks: list[int] = []
    monkeypatch.setattr(claims, "LOOK_EVERY_S", 30.0)
    monkeypatch.setattr(claims, "look", lambda found: looks.append(len(found)))
    keeper = Keeper()
    first, second = (claim_of(make_run(status=RunStatus.RUNNING)) for _ in range(2))
    keeper.watch(first)

    keeper.unwatch(first)
    keeper.watch(second)

    threading.Event().wait(0.2)  # the fault was a loop without a rest: thousands of looks
    assert len(looks) <= 2
    keeper.unwatch(second)


@pytest.mark.django_db(transaction=True)
def test_keeper_outlives_whatever_a_look_throws(quick, now, monkeypatch):
    thrown: list[int] = []

    def throw(found: list[Claim]) -> None:
        thrown.append(1)
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(claims, "look", throw)
    run = make_run(status=RunStatus.RUNNING)
    keeper, claim = Keeper(), claim_of(run)
    keeper.watch(claim)

    until(lambda: len(thrown) >= 2)

    keeper.unwatch(claim)


def test_keeper_that_stops_tells_all_and_every_later_claim():
    keeper = Keeper()
    run = Run(kind="tests.job", attempt=1)
    early, canceled, late = claim_of(run), claim_of(run, stop_reason="canceled"), claim_of(run)
    keeper._pid = os.getpid()
    keeper._claims = {"a": early, "b": canceled}
    keeper._thread = threading.current_thread()

    keeper.stop_all()
    keeper.watch(late)

    assert [claim.stop_reason for claim in (early, canceled, late)] == [
        "stopping",
        "canceled",
        "stopping",
    ]


@pytest.mark.django_db
def test_overslept_worker_changes_nothing(now):
    run = make_run()
    old = claims.take(str(run.pk), limit_s=60, now=now)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.QUEUED, claimed_until=None)
    new = claims.take(str(run.pk), limit_s=60, now=now)

    written = events.record(old.run, where=old.fence, changes={"progress": 90}, now=now)

    run.refresh_from_db()
    assert (written, run.progress, run.attempt) == (False, 0, 2)
    assert events.record(new.run, where=new.fence, changes={"progress": 5}, now=now)
