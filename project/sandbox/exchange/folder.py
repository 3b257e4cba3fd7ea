"""Which candles a folder of CSV files holds, and which market each file belongs to."""

import csv
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from project.sandbox.exchange.candles import Candle, part_way
from project.sandbox.exchange.timeframes import TIMEFRAMES, Timeframe

HEADING = ["open_time_ms", "open", "high", "low", "close", "volume"]
_NAME = re.compile(
    r"(?:(?P<prefix>.*)_)?(?P<base>[A-Za-z0-9]+)_(?P<quote>[A-Za-z0-9]+)-(?P<timeframe>\d+[mhdwM])"
)


class UnreadableCandlesError(ValueError):
    """A candle file or folder is not in the shape that the sandbox reads."""


@dataclass(frozen=True, slots=True)
class CandleFile:
    """One file, and what its name says.

    Attributes:
        prefix: what stands before the market in the name, such as ``octobot_binance``.
        symbol: the market, such as ``BTC/USDT``.
    """

    path: Path
    prefix: str
    symbol: str
    timeframe: str


class FolderBook:
    """The candles of one market, as its files have them."""

    def __init__(self, prefix: str, files: dict[str, list[Candle]]) -> None:
        self.prefix = prefix
        self._candles = files
        self._opened = {name: [each.open_ms for each in rows] for name, rows in files.items()}

    @property
    def timeframes(self) -> tuple[str, ...]:
        """Names of the timeframes that there are files of."""
        return tuple(self._candles)

    @property
    def listed_ms(self) -> int:
        """When its first candle opened."""
        return min(opened[0] for opened in self._opened.values())

    @property
    def end_ms(self) -> int:
        """When its last candle closed."""
        return max(TIMEFRAMES[name].following(each[-1]) for name, each in self._opened.items())

    def count(self, timeframe: str) -> int:
        """Return how many candles there are of a timeframe."""
        return len(self._candles[timeframe])

    def forward(self, timeframe: Timeframe, from_ms: int) -> Iterator[Candle]:
        """Yield candles from ``from_ms`` on, oldest first."""
        rows = self._candles.get(timeframe.name, [])
        first = bisect_left(self._opened.get(timeframe.name, []), from_ms)
        for number in range(first, len(rows)):
            yield rows[number]

    def backward(self, timeframe: Timeframe, before_ms: int) -> Iterator[Candle]:
        """Yield candles that open before ``before_ms``, newest first."""
        rows = self._candles.get(timeframe.name, [])
        end = bisect_left(self._opened.get(timeframe.name, []), before_ms)
        for number in range(end - 1, -1, -1):
            yield rows[number]

    def unfinished(self, timeframe: Timeframe, candle: Candle, now_ms: int) -> Candle:
        """Return what is seen at ``now_ms`` of a candle that is still open."""
        whole_ms = timeframe.following(candle.open_ms) - candle.open_ms
        return part_way(candle, Decimal(now_ms - candle.open_ms) / whole_ms)


def read_folder(folder: Path) -> dict[str, FolderBook]:
    """Return the books of a folder by symbol.

    A market's files come from one source: those with the prefix of its first file by name. Files
    of the same market with another prefix are left out, so that two sources are never mixed.

    Raises:
        UnreadableCandlesError: there is no candle file, or one isn't as it must be.
    """
    chosen: dict[str, list[CandleFile]] = {}
    for each in candle_files(folder):
        files = chosen.setdefault(each.symbol, [])
        if not files or files[0].prefix == each.prefix:
            files.append(each)
    if not chosen:
        raise UnreadableCandlesError(f"no file named *_BASE_QUOTE-TIMEFRAME.csv in {folder}")
    return {
        symbol: FolderBook(files[0].prefix, {each.timeframe: read_file(each) for each in files})
        for symbol, files in chosen.items()
    }


def candle_files(folder: Path) -> list[CandleFile]:
    """Return the candle files of a folder, by name; other files are not looked at."""
    found = []
    for path in sorted(folder.glob("*.csv")):
        name = _NAME.fullmatch(path.stem)
        if name is not None and name["timeframe"] in TIMEFRAMES:
            symbol = f"{name['base'].upper()}/{name['quote'].upper()}"
            found.append(CandleFile(path, name["prefix"] or "", symbol, name["timeframe"]))
    return found


def read_file(file: CandleFile) -> list[Candle]:
    """Return the candles of one file, oldest first, their numbers' text untouched.

    Raises:
        UnreadableCandlesError: the heading is another one, a row is short, or there is no row.
    """
    with file.path.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.reader(lines)
        if next(rows, None) != HEADING:
            raise UnreadableCandlesError(f"{file.path}: the heading must be {','.join(HEADING)}")
        try:
            candles = [_candle(row) for row in rows if row]
        except ValueError as wrong:
            raise UnreadableCandlesError(f"{file.path}, line {rows.line_num}: {wrong}") from wrong
    if not candles:
        raise UnreadableCandlesError(f"{file.path}: no candle")
    return sorted(candles, key=lambda candle: candle.open_ms)


def _candle(row: list[str]) -> Candle:
    open_ms, opened, high, low, close, volume = row
    for text in (opened, high, low, close, volume):
        float(text)
    return Candle(int(open_ms), opened, high, low, close, volume)
