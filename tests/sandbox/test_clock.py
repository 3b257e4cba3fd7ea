import pytest

from project.sandbox.clock import MarketClock

pytestmark = pytest.mark.once


class _Wall:
    def __init__(self) -> None:
        self.now_ms = 5_000

    def __call__(self) -> int:
        return self.now_ms


def test_clock_shows_real_time_until_it_is_moved():
    wall = _Wall()
    clock = MarketClock(wall=wall)

    wall.now_ms = 9_000

    assert (clock.mode, clock.rate, clock.now_ms()) == ("real", 1.0, 9_000)


def test_clock_frozen_stands_and_advances_by_hand():
    wall = _Wall()
    clock = MarketClock(wall=wall)

    clock.freeze(100)
    wall.now_ms += 1_000
    clock.advance(60)

    assert (clock.mode, clock.now_ms()) == ("frozen", 160)


def test_clock_running_passes_at_its_rate_from_where_it_was_set():
    wall = _Wall()
    clock = MarketClock(wall=wall)

    clock.run(rate=60.0, from_ms=1_000)
    wall.now_ms += 10
    clock.advance(5)
    wall.now_ms += 10

    assert (clock.mode, clock.now_ms()) == ("running", 1_000 + 600 + 5 + 600)


def test_clock_returns_to_real_time():
    wall = _Wall()
    clock = MarketClock(wall=wall)
    clock.freeze(1)

    clock.follow_wall()

    assert (clock.mode, clock.now_ms()) == ("real", 5_000)
