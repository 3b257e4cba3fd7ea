from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from project.sandbox import RateLimit, Wanted
from project.sandbox.exchange.limiting import Limiter


class _Time:
    def __init__(self) -> None:
        self.now_s = 120.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> _Time:
    return _Time()


@pytest.fixture
def limiter(time) -> Limiter:
    return Limiter(clock=time)


def statuses(limiter, count, *, client="127.0.0.1", weight=1):
    return [limiter.admit("binance", client, weight=weight).status for _ in range(count)]


def test_limiter_counts_without_a_limit_and_starts_each_minute_anew(limiter, time):
    assert statuses(limiter, 3, weight=20) == [None] * 3
    assert limiter.admit("binance", "127.0.0.1", weight=1).used_weight == 61

    time.now_s += 60

    assert limiter.admit("binance", "127.0.0.1", weight=1).used_weight == 1
    assert limiter.count("binance", "127.0.0.1").requests == 5


def test_limiter_refuses_what_is_too_much_until_the_window_ends(limiter, time):
    limiter.set("binance", RateLimit(units=2, per_s=10))

    time.now_s = 123.5
    verdicts = [limiter.admit("binance", "127.0.0.1", weight=1) for _ in range(3)]
    time.now_s = 130.0

    assert [(each.status, each.retry_after_s) for each in verdicts] == [
        (None, 0),
        (None, 0),
        (429, 7),
    ]
    assert statuses(limiter, 3) == [None, None, 429]
    count = limiter.count("binance", "127.0.0.1")
    assert (count.requests, count.refused, count.peak_units) == (6, 2, 2)


def test_limiter_counts_each_address_and_exchange_for_itself(limiter):
    limiter.set("binance", RateLimit(units=1))

    seen = [
        limiter.admit(venue, client, weight=1).status
        for venue, client in (("binance", "a"), ("binance", "b"), ("okx", "a"), ("binance", "a"))
    ]

    assert seen == [None, None, None, 429]


def test_limiter_counts_weight_where_asked(limiter):
    limiter.set("binance", RateLimit(units=5, by_weight=True))

    assert statuses(limiter, 3, weight=2) == [None, None, 429]


def test_limiter_bans_who_does_not_stop(limiter, time):
    limiter.set("binance", RateLimit(units=1, per_s=10, ban_after=1, ban_s=30))

    assert statuses(limiter, 4) == [None, 429, 418, 418]
    time.now_s += 29
    assert statuses(limiter, 1) == [418]
    time.now_s += 2
    assert statuses(limiter, 1) == [None]


def test_exchange_refuses_what_four_workers_ask_too_much(world):
    world.exchange.limit("binance", RateLimit(units=10, per_s=3600))
    try:
        with ThreadPoolExecutor(max_workers=4) as workers:
            answers = list(
                workers.map(
                    lambda _: requests.get(f"{world.exchange.url}/api/v3/ping", timeout=5),
                    range(16),
                )
            )
    finally:
        world.exchange.limit("binance", None)

    refused = [each for each in answers if each.status_code == 429]
    assert len(refused) == 6
    assert all(int(each.headers["Retry-After"]) > 0 for each in refused)
    assert world.exchange.limiter.count("binance", "127.0.0.1").refused == 6
    assert len(world.exchange.log.entries(Wanted(status=200))) == 10
