"""What tests of the app share: a sandbox world, and work that runs in the test's own thread."""

from collections.abc import Iterator
from typing import Any

import pytest

from project import sandbox
from tests.markets import doing


@pytest.fixture(autouse=True)
def _private_networks(settings: Any) -> None:
    """The sandbox is on loopback; tests of the guard switch it back on."""
    settings.ALLOW_PRIVATE_NETWORKS = True


@pytest.fixture
def world() -> Iterator[sandbox.World]:
    """Two generated markets, and a clock frozen at ``doing.CLOCK_MS``."""
    plan = sandbox.WorldPlan(
        symbols=("BTC/USDT", "ETH/USDT", "SOL/USDT"),
        listed_ms=doing.LISTED_MS,
        clock_ms=doing.CLOCK_MS,
    )
    with sandbox.running(plan) as found:
        yield found


@pytest.fixture
def no_naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let waits pass at once; returns the seconds that were asked for."""
    naps: list[float] = []
    monkeypatch.setattr("markets.asking.Tools.wait", lambda _self, seconds: naps.append(seconds))
    return naps
