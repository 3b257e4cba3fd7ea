"""Every real candle file, as both exchanges serve it."""

import csv
import json
from collections.abc import Iterator
from itertools import pairwise

import pytest

from project import sandbox
from project.sandbox.exchange.folder import CandleFile, candle_files
from project.sandbox.exchange.timeframes import OKX_BARS, TIMEFRAMES
from tests.sandbox.conftest import DATA
from tests.sandbox.making import klines, okx_rows

FOLDER = DATA / "candles"
FILES = candle_files(FOLDER) if FOLDER.is_dir() else []
SHORT_FILES = [each for each in FILES if each.timeframe in ("1h", "4h", "1d")]
BAR_OF = {
    timeframe.name: bar for bar, timeframe in OKX_BARS.items() if timeframe in TIMEFRAMES.values()
}

ABSENT = [pytest.param(None, id="absent")]
"""Keeps the tests visible, as skipped with the reason below, where there is no file."""

pytestmark = pytest.mark.skipif(not FILES, reason=f"the real candle files are not at {FOLDER}")


def name_of(file: CandleFile | None) -> str | None:
    return file.path.stem if file else None


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with sandbox.running(sandbox.WorldPlan(candles=FOLDER)) as world:
        yield world.exchange.url


def rows_of(file: CandleFile) -> list[list[str]]:
    with file.path.open(newline="") as lines:
        return list(csv.reader(lines))[1:]


def from_binance(url: str, file: CandleFile) -> list[list[str]]:
    served: list[list[str]] = []
    asked = {"symbol": file.symbol.replace("/", ""), "interval": file.timeframe, "limit": 1000}
    start_ms = 0
    while page := klines(url, startTime=start_ms, **asked):
        served += [[str(row[0]), *row[1:6]] for row in page]
        start_ms = page[-1][0] + 1
    return served


def from_okx(url: str, file: CandleFile) -> list[list[str]]:
    served: list[list[str]] = []
    asked = {"instId": file.symbol.replace("/", "-"), "bar": BAR_OF[file.timeframe]}
    while page := okx_rows(url, **asked):
        served += [row[:6] for row in page]
        asked["after"] = page[-1][0]
    return served[::-1]


@pytest.mark.parametrize("file", FILES or ABSENT, ids=name_of)
def test_binance_serves_the_file_number_by_number(url, file):
    assert from_binance(url, file) == rows_of(file)


@pytest.mark.parametrize("file", SHORT_FILES or ABSENT, ids=name_of)
def test_okx_serves_the_file_number_by_number(url, file):
    assert from_okx(url, file) == rows_of(file)


@pytest.mark.parametrize("file", FILES or ABSENT, ids=name_of)
def test_holes_of_the_file_stay_holes(url, file):
    known = json.loads((FOLDER / "GAPS.json").read_text())[file.path.stem]
    following = TIMEFRAMES[file.timeframe].following

    opened = [int(row[0]) for row in from_binance(url, file)]
    holes = [
        (following(before_ms), after_ms)
        for before_ms, after_ms in pairwise(opened)
        if following(before_ms) != after_ms
    ]

    assert holes == [
        (gap["first_missing_ms"], following(gap["last_missing_ms"])) for gap in known["gaps"]
    ]
