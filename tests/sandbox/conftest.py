"""Worlds and data that the sandbox's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from project import sandbox
from tests.sandbox.making import NOW_MS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def candle_folder() -> Path:
    folder = DATA / "candles"
    if not folder.is_dir():
        pytest.skip(f"the real candle files are not at {folder}")
    return folder


@pytest.fixture
def exchange_folder() -> Path:
    folder = DATA / "exchanges"
    if not folder.is_dir():
        pytest.skip(f"the recorded exchange answers are not at {folder}")
    return folder


@pytest.fixture
def list_folder() -> Path:
    folder = DATA / "proxies"
    if not folder.is_dir():
        pytest.skip(f"the published proxy lists are not at {folder}")
    return folder


@pytest.fixture(scope="module")
def _shared_world() -> Iterator[sandbox.World]:
    with sandbox.running(sandbox.WorldPlan(clock_ms=NOW_MS)) as world:
        yield world


@pytest.fixture
def world(_shared_world: sandbox.World) -> sandbox.World:
    """An exchange with a clock that stands, without faults; one for all tests of a module."""
    _shared_world.exchange.faults.clear()
    _shared_world.exchange.log.clear()
    _shared_world.exchange.limiter.reset()
    _shared_world.exchange.candles.end_outages()
    _shared_world.exchange.candles.forget_corrections()
    _shared_world.clock.freeze(NOW_MS)
    return _shared_world
