import multiprocessing
import socket
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable

import limits.storage.redis
import pytest
from django.conf import settings

from project.core import limits_counting
from project.core.limits import Rule
from project.core.limits_counting import Counter, Windows
from tests.project.rivals import rivals

RULE = Rule("api", ("/**",), 60)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 1_700_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def results(counter: Counter, count: int, *, amount: int = 60, who: str = "a") -> Tally[bool]:
    return Tally(counter.hit(RULE, who, amount=amount).is_allowed for _ in range(count))


def test_window_slides(clock):
    counter = Counter(clock=clock)
    assert results(counter, 30) == {True: 30}
    clock.at += 30
    assert results(counter, 35) == {True: 30, False: 5}
    clock.at += 29.9
    assert results(counter, 1) == {False: 1}
    clock.at += 0.1

    assert results(counter, 35) == {True: 30, False: 5}


def test_verdict_tells_what_is_left_and_when_more_is_allowed(clock):
    counter = Counter(clock=clock)

    first = counter.hit(RULE, "a", amount=2)
    clock.at += 20
    second = counter.hit(RULE, "a", amount=2)
    third = counter.hit(RULE, "a", amount=2)

    assert (first.remaining, first.reset_s) == (1, 60)
    assert (second.remaining, second.reset_s) == (0, 40)
    assert (third.is_allowed, third.limit, third.remaining, third.reset_s) == (False, 2, 0, 40)


def test_callers_do_not_share_a_window(clock):
    counter = Counter(clock=clock)
    results(counter, 60)

    assert results(counter, 1) == {False: 1}
    assert results(counter, 1, who="b") == {True: 1}


def test_memory_is_exact_under_rivals():
    counter = Counter()

    allowed = rivals(50, lambda _: results(counter, 4, amount=100)[True])

    assert sum(allowed) == 100


def test_memory_forgets_who_is_gone(clock, monkeypatch):
    monkeypatch.setattr(limits_counting, "_SWEEP_AT", 100)
    windows = Windows(clock)
    for number in range(1000):
        windows.acquire_entry(f"who-{number}", 5, 60)
        clock.at += 1

    assert len(windows._entries) <= 200
    assert windows.reset() == len(windows._entries) or not windows._entries
    assert windows.check()


def hanging() -> socket.socket:
    """A server that accepts and never answers."""
    found = socket.create_server(("127.0.0.1", 0), backlog=300)
    found.settimeout(None)
    return found


def test_hung_redis_costs_little_once_and_limits_still_hold():
    watched: list[Counter] = []
    with hanging() as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        counter = Counter(url, watch=watched.append)
        began_at = time.monotonic()
        results(counter, 1, amount=100)
        first_s = time.monotonic() - began_at
        began_at = time.monotonic()
        outcome = results(counter, 104, amount=100)
        others_s = time.monotonic() - began_at

    assert outcome == {True: 99, False: 5}
    assert counter.is_degraded
    assert watched == [counter]
    assert first_s < 0.3
    assert others_s < 0.3


def test_hung_redis_does_not_queue_those_who_come_at_once():
    with hanging() as server:
        counter = Counter(f"redis://127.0.0.1:{server.getsockname()[1]}/0", watch=lambda _: None)
        began_at = time.monotonic()
        allowed = rivals(60, lambda _: counter.hit(RULE, "a", amount=50).is_allowed)
        took_s = time.monotonic() - began_at

    assert sum(allowed) == 50
    assert took_s < 1  # one after another it would be 7 s


def test_absent_redis_is_left_alone_until_a_look_finds_it():
    counter = Counter("redis://127.0.0.1:1/0", watch=lambda _: None)

    assert results(counter, 61) == {True: 60, False: 1}
    assert not counter.look()
    assert counter.is_degraded


def test_watch_looks_until_redis_is_back(monkeypatch):
    monkeypatch.setattr(limits_counting, "LOOK_EVERY_S", 0.001)
    looked = threading.Event()
    counter = Counter("redis://127.0.0.1:1/0")
    answers = iter([False, False, True])

    def look() -> bool:
        found = next(answers)
        if found:
            looked.set()
        return found

    monkeypatch.setattr(counter, "look", look)
    counter.hit(RULE, "a", amount=1)

    assert looked.wait(10)


@pytest.fixture
def redis_counter() -> Counter:
    counter = Counter(settings.REDIS_URL, watch=lambda _: None)
    assert counter._shared is not None
    counter._shared.storage.reset()
    return counter


@pytest.mark.redis
def test_redis_counts_as_memory_does(redis_counter, clock, monkeypatch):
    monkeypatch.setattr(limits.storage.redis, "time", type("T", (), {"time": clock}))
    redis_counter.clock = clock

    assert results(redis_counter, 62) == {True: 60, False: 2}
    clock.at += 60.001
    verdict = redis_counter.hit(RULE, "a", amount=60)

    assert (verdict.is_allowed, verdict.remaining, round(verdict.reset_s)) == (True, 59, 60)
    assert not redis_counter.is_degraded


@pytest.mark.redis
def test_memory_goes_on_from_what_redis_counted(redis_counter, monkeypatch):
    results(redis_counter, 58)

    def away(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(redis_counter._shared, "hit", away)

    assert results(redis_counter, 5) == {True: 2, False: 3}
    assert redis_counter.is_degraded
    assert redis_counter.look()
    assert not redis_counter.is_degraded


def in_two_processes(work: Callable[[str, object, object], None]) -> list[tuple[int, bool]]:
    """Return what ``work`` tells of each of two processes that begin at once."""
    context = multiprocessing.get_context("fork")
    start, tell = context.Barrier(2), context.Queue()
    both = [context.Process(target=work, args=(settings.REDIS_URL, start, tell)) for _ in range(2)]
    for one in both:
        one.start()
    found = [tell.get(timeout=60) for _ in both]
    for one in both:
        one.join(30)
    return found


BUCKET = Rule("exports", ("/**",), 60, burst=5)


def taken(counter: Counter, count: int, *, amount: int = 60) -> Tally[bool]:
    return Tally(counter.hit(BUCKET, "a", amount=amount).is_allowed for _ in range(count))


def test_burst_may_come_at_once_and_then_as_fast_as_the_rate(clock):
    counter = Counter(clock=clock)

    assert taken(counter, 8) == {True: 5, False: 3}
    clock.at += 2
    assert taken(counter, 4) == {True: 2, False: 2}
    clock.at += 3600
    assert taken(counter, 6) == {True: 5, False: 1}


def test_plan_that_raises_the_amount_raises_the_burst(clock):
    assert taken(Counter(clock=clock), 60, amount=600) == {True: 50, False: 10}


def test_verdict_of_a_burst_tells_what_is_left(clock):
    counter = Counter(clock=clock)

    first, *_, last, refused = [counter.hit(BUCKET, "a", amount=60) for _ in range(6)]

    assert (first.limit, first.remaining, first.reset_s) == (5, 4, 1)
    assert (last.is_allowed, last.remaining, last.reset_s) == (True, 0, 5)
    assert (refused.is_allowed, refused.remaining, refused.reset_s) == (False, 0, 1)


def test_bursts_are_exact_under_rivals(clock):
    counter = Counter(clock=clock)

    assert sum(rivals(40, lambda _: taken(counter, 3)[True])) == 5


def test_burst_holds_while_redis_hangs():
    with hanging() as server:
        counter = Counter(f"redis://127.0.0.1:{server.getsockname()[1]}/0", watch=lambda _: None)

        outcome = Tally(
            counter.hit(Rule("x", ("/**",), 1, 3600, burst=5), "a", amount=1).is_allowed
            for _ in range(8)
        )

    assert outcome == {True: 5, False: 3}
    assert counter.is_degraded


SLOW = Rule("slow", ("/**",), 1, 86_400, burst=30)


@pytest.mark.redis
def test_memory_goes_on_from_the_burst_that_redis_counted(redis_counter, monkeypatch):
    found = [redis_counter.hit(SLOW, "a", amount=1) for _ in range(28)]

    def away(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(redis_counter._shared.storage.storage, "eval", away)
    later = Tally(redis_counter.hit(SLOW, "a", amount=1).is_allowed for _ in range(5))

    assert [one.remaining for one in found] == list(range(29, 1, -1))
    assert later == {True: 2, False: 3}
    assert redis_counter.is_degraded


def bursts_by_threads(url: str, start: object, tell: object) -> None:
    """Be one of several web processes: two hundred requests at once."""
    counter = Counter(url, watch=lambda _: None)
    start.wait(30)  # type: ignore[attr-defined]
    allowed = rivals(200, lambda _: counter.hit(SLOW, "both", amount=1).is_allowed)
    tell.put((sum(allowed), counter.is_degraded))  # type: ignore[attr-defined]


@pytest.mark.redis
def test_two_processes_let_exactly_the_burst_through(redis_counter):
    found = in_two_processes(bursts_by_threads)

    assert [is_degraded for _, is_degraded in found] == [False, False]
    assert sum(allowed for allowed, _ in found) == 30


def hit_by_threads(url: str, start: object, tell: object) -> None:
    """Be one of several web processes: a hundred requests at once."""
    counter = Counter(url, watch=lambda _: None)
    start.wait(30)  # type: ignore[attr-defined]
    allowed = rivals(100, lambda _: counter.hit(RULE, "both", amount=60).is_allowed)
    tell.put((sum(allowed), counter.is_degraded))  # type: ignore[attr-defined]


@pytest.mark.redis
def test_two_processes_let_exactly_the_quota_through(redis_counter):
    found = in_two_processes(hit_by_threads)

    assert [is_degraded for _, is_degraded in found] == [False, False]
    assert sum(allowed for allowed, _ in found) == 60
