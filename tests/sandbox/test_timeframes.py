from datetime import UTC, datetime

import pytest

from project.sandbox.exchange.timeframes import (
    BINANCE_INTERVALS,
    HOUR_MS,
    OKX_BARS,
    TIMEFRAMES,
    Timeframe,
)

pytestmark = pytest.mark.once


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("name", "opened", "following"),
    [
        ("1m", "2024-02-29T10:07", "2024-02-29T10:08"),
        ("15m", "2024-02-29T10:00", "2024-02-29T10:15"),
        ("4h", "2024-02-29T08:00", "2024-02-29T12:00"),
        ("1d", "2024-02-29T00:00", "2024-03-01T00:00"),
        ("1w", "2024-02-26T00:00", "2024-03-04T00:00"),
        ("1M", "2024-02-01T00:00", "2024-03-01T00:00"),
        ("3M", "2024-01-01T00:00", "2024-04-01T00:00"),
    ],
)
def test_timeframe_opens_on_its_grid(name, opened, following):
    timeframe = TIMEFRAMES[name]

    open_ms = timeframe.opened(at("2024-02-29T10:07:42"))

    assert (open_ms, timeframe.following(open_ms)) == (at(opened), at(following))
    assert timeframe.preceding(timeframe.following(open_ms)) == open_ms
    assert timeframe.at_or_after(open_ms) == open_ms
    assert timeframe.at_or_after(open_ms + 1) == timeframe.following(open_ms)


def test_okx_day_opens_at_hong_kongs_midnight_unless_utc():
    moment_ms = at("2024-02-29T10:07")

    assert OKX_BARS["1D"].opened(moment_ms) == at("2024-02-28T16:00")
    assert OKX_BARS["1Dutc"].opened(moment_ms) == at("2024-02-29T00:00")
    assert OKX_BARS["1M"].opened(moment_ms) == at("2024-01-31T16:00")
    assert OKX_BARS["1H"] == Timeframe("1h", step_ms=HOUR_MS)


def test_binance_intervals_are_those_of_its_documentation():
    names = "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M"

    assert " ".join(BINANCE_INTERVALS) == names
