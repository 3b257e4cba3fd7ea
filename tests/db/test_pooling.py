import contextlib
import gc
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from project.db.errors import PoolExhaustedError
from project.db.recording import ErrorKind, Event
from project.db.sqlite.gating import WriterGate
from project.db.sqlite.members import Member
from project.db.sqlite.options import PoolOptions
from project.db.sqlite.pooling import Pool
from tests.db.making import until

pytestmark = pytest.mark.once


class Owner:
    allow_thread_sharing = False

    def __init__(self) -> None:
        self.has_forgotten = False

    def forget_connection(self) -> None:
        self.has_forgotten = True


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "pool.sqlite3")


def make_pool(path: str, **options) -> Pool:
    return Pool(
        path, options=PoolOptions(**options), gate=WriterGate(path, crosses_processes=False)
    )


def connector(path: str) -> Callable[[], sqlite3.Connection]:
    return lambda: sqlite3.connect(path, check_same_thread=False, isolation_level=None)


def has_waiting(pool: Pool, count: int) -> bool:
    return pool.waiting == count


def test_acquire_gives_back_the_connection_returned_last(path):
    pool, owner = make_pool(path), Owner()
    first = pool.acquire(owner, connector(path))
    second = pool.acquire(owner, connector(path))
    pool.release(first, is_reusable=True)
    pool.release(second, is_reusable=True)

    again = pool.acquire(owner, connector(path))

    assert again is second
    assert (pool.size, pool.in_use, pool.idle) == (2, 1, 1)


def test_acquire_serves_in_the_order_of_asking(path):
    pool, owner = make_pool(path, min_size=1, max_size=1), Owner()
    held = pool.acquire(owner, connector(path))
    served: list[int] = []

    def ask(number: int) -> None:
        member = pool.acquire(owner, connector(path))
        served.append(number)
        pool.release(member, is_reusable=True)

    threads = []
    for number in range(8):
        thread = threading.Thread(target=ask, args=(number,))
        thread.start()
        threads.append(thread)
        assert until(partial(has_waiting, pool, number + 1))
    pool.release(held, is_reusable=True)
    for thread in threads:
        thread.join()

    assert served == list(range(8))


def test_acquire_grows_after_a_wait(path):
    pool, owner = make_pool(path, min_size=1, max_size=2, grows_ahead=False), Owner()
    pool.acquire(owner, connector(path))

    asked_s = time.monotonic()
    member = pool.acquire(owner, connector(path))

    assert 0.05 < time.monotonic() - asked_s < 1
    assert member.waited_s > 0.05
    assert pool.size == 2
    assert pool.recorder.events[Event.GROWN] == 1


def test_acquire_of_an_empty_pool_says_who_holds_it(path):
    pool, owner = make_pool(path, min_size=1, max_size=1, timeout_s=0.2), Owner()
    pool.acquire(owner, connector(path))

    with pytest.raises(PoolExhaustedError) as caught:
        pool.acquire(owner, connector(path))

    assert "within 0.2 s: 1 of 1 in use" in str(caught.value)
    assert "tests/db/test_pooling.py:" in str(caught.value)
    assert pool.recorder.errors[ErrorKind.TIMEOUT] == 1
    assert pool.waiting == 0


def test_acquire_that_gave_up_leaves_the_next_in_the_queue_its_place(path):
    pool, owner = make_pool(path, min_size=1, max_size=1, timeout_s=0.3), Owner()
    held = pool.acquire(owner, connector(path))
    with pytest.raises(PoolExhaustedError):
        pool.acquire(owner, connector(path))

    pool.release(held, is_reusable=True)

    assert pool.acquire(owner, connector(path)) is held


def test_acquire_whose_connecting_fails_leaves_no_gap(path):
    pool, owner = make_pool(path, min_size=1, max_size=1), Owner()

    def fail() -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    for _ in range(3):
        with pytest.raises(sqlite3.OperationalError):
            pool.acquire(owner, fail)

    assert pool.size == 0
    assert pool.acquire(owner, connector(path)).is_open


def test_acquire_passes_over_connections_closed_behind_its_back(path):
    pool, owner = make_pool(path), Owner()
    member = pool.acquire(owner, connector(path))
    pool.release(member, is_reusable=True)
    member.raw.close()

    found = pool.acquire(owner, connector(path))

    assert found is not member
    assert found.is_open
    assert pool.size == 1


def test_release_closes_what_is_too_old(path):
    pool, owner = make_pool(path, max_lifetime_s=0.05), Owner()
    member = pool.acquire(owner, connector(path))
    time.sleep(0.06)

    pool.release(member, is_reusable=True)

    assert not member.is_open
    assert pool.size == 0


def test_tidy_closes_what_has_been_idle_too_long_down_to_the_least_size(path):
    pool, owner = make_pool(path, min_size=2, max_idle_s=0.05), Owner()
    pool.grow(3)
    members = [pool.acquire(owner, connector(path)) for _ in range(5)]
    for member in members:
        pool.release(member, is_reusable=True)
    assert pool.size == 5

    time.sleep(0.06)
    pool.tidy()

    assert pool.size == 2
    assert pool.recorder.events[Event.CLOSED] == 3


def test_recycle_replaces_lent_connections_on_their_return(path):
    pool, owner = make_pool(path), Owner()
    lent, free = pool.acquire(owner, connector(path)), pool.acquire(owner, connector(path))
    pool.release(free, is_reusable=True)

    assert pool.recycle() == 1

    assert lent.is_open
    pool.release(lent, is_reusable=True)
    assert (lent.is_open, pool.size) == (False, 0)


def test_grow_serves_those_that_wait(path):
    pool, owner = make_pool(path, min_size=1, grow_after_s=5, grows_ahead=False), Owner()
    pool.acquire(owner, connector(path))
    served = threading.Event()

    def ask() -> None:
        pool.acquire(owner, connector(path))
        served.set()

    thread = threading.Thread(target=ask)
    thread.start()
    assert until(lambda: pool.waiting == 1)

    assert pool.grow(4) == 5

    assert served.wait(2)
    thread.join()


def test_acquire_after_the_file_was_replaced_opens_the_new_one(path, tmp_path, monkeypatch):
    monkeypatch.setattr("project.db.sqlite.pooling._LOOK_AT_FILE_EVERY_S", 0)
    pool, owner = make_pool(path), Owner()
    member = pool.acquire(owner, connector(path))
    member.raw.execute("CREATE TABLE old (a)")
    pool.release(member, is_reusable=True)
    with contextlib.closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE new (a)")
        other.commit()
    (tmp_path / "other").replace(path)

    found = pool.acquire(owner, connector(path))

    assert [row[0] for row in found.raw.execute("SELECT name FROM sqlite_master")] == ["new"]
    assert pool.recorder.events[Event.REPLACED] == 1


def test_acquire_takes_back_what_a_dead_thread_held(path):
    pool = make_pool(path, min_size=1, max_size=1, timeout_s=5)
    dead = Owner()
    thread = threading.Thread(target=lambda: pool.acquire(dead, connector(path)))
    thread.start()
    thread.join()

    member = pool.acquire(Owner(), connector(path))

    assert member.is_open
    assert dead.has_forgotten
    assert pool.recorder.events[Event.ABANDONED] == 1


def test_acquire_takes_back_what_an_owner_that_is_gone_held(path):
    pool = make_pool(path, min_size=1, max_size=1, timeout_s=5)
    owner = Owner()
    pool.acquire(owner, connector(path))

    del owner
    gc.collect()

    survivor = Owner()
    assert pool.acquire(survivor, connector(path)).is_open


def test_release_of_what_was_taken_back_changes_nothing(path):
    pool = make_pool(path)
    owner = Owner()
    members = []
    thread = threading.Thread(target=lambda: members.append(pool.acquire(owner, connector(path))))
    thread.start()
    thread.join()
    assert pool.reclaim() == 1

    pool.release(members[0], is_reusable=True)

    assert (pool.size, pool.idle) == (0, 0)


def test_interrupted_wait_passes_on_what_it_was_given(path):
    pool, owner = make_pool(path, min_size=1, max_size=1), Owner()
    held = pool.acquire(owner, connector(path))
    waited = threading.Event()

    def ask() -> None:
        with contextlib.suppress(KeyboardInterrupt):
            pool.acquire(owner, connector(path))
        waited.set()

    def interrupt() -> int:
        raise KeyboardInterrupt

    thread = threading.Thread(target=ask)
    pool.reclaim = interrupt  # type: ignore[method-assign]  # called by those that wait long
    thread.start()
    assert waited.wait(5)
    thread.join()
    pool.release(held, is_reusable=True)

    assert pool.waiting == 0
    assert pool.idle == 1


class PoolMachine(RuleBasedStateMachine):
    """Whatever is borrowed, broken and given back: the counts hold and nobody shares."""

    def __init__(self) -> None:
        super().__init__()
        self.owner = Owner()
        self.pool = make_pool(":memory:", min_size=1, max_size=3, timeout_s=0.01, grow_after_s=0)
        self.lent: list[Member] = []

    @precondition(lambda self: len(self.lent) < 3)
    @rule()
    def borrow(self):
        self.lent.append(self.pool.acquire(self.owner, connector(":memory:")))

    @precondition(lambda self: len(self.lent) == 3)
    @rule()
    def borrow_too_much(self):
        with pytest.raises(PoolExhaustedError):
            self.pool.acquire(self.owner, connector(":memory:"))

    @precondition(lambda self: self.lent)
    @rule(which=st.integers(0, 2), is_reusable=st.booleans(), closes=st.booleans())
    def give_back(self, which, is_reusable, closes):
        member = self.lent.pop(which % len(self.lent))
        if closes:
            member.raw.close()
        self.pool.release(member, is_reusable=is_reusable)

    @rule()
    def recycle(self):
        self.pool.recycle()

    @rule(by=st.integers(0, 3))
    def grow(self, by):
        self.pool.grow(by)

    @invariant()
    def counts_hold(self):
        assert self.pool.in_use == len(self.lent)
        assert self.pool.size == self.pool.in_use + self.pool.idle <= 3
        assert len({id(member.raw) for member in self.lent}) == len(self.lent)
        assert all(member.is_open for member in self.lent)

    def teardown(self):
        for member in self.lent:
            member.close()
        self.pool.recycle()


TestPoolMachine = PoolMachine.TestCase
TestPoolMachine.settings = hypothesis_settings(
    max_examples=30, stateful_step_count=20, deadline=None
)
