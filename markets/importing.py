"""Which rows of a CSV file are candles of a series; a file goes in whole or stops at its bad line."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from markets import checking, storing, timeframes
from markets.checking import Asked
from markets.choices import Policy, Source
from markets.models import Series
from markets.rows import Row
from markets.storing import Stored
from project.core.errors import InvalidInputError

_TIMES: Final = ("open_time_ms", "open_time", "timestamp", "date", "time")
_VALUES: Final = ("open", "high", "low", "close", "volume")
CHUNK: Final = 10_000


class BadCandleFileError(InvalidInputError):
    """The file is not one of candles; the message names the line."""

    code = "bad_candle_file"
    title = "Not a file of candles"


def load_csv(lines: Iterable[str], *, series: Series, now: datetime, name: str = "file") -> Stored:
    """Store the candles of a CSV file with a heading, columns in any order.

    Rows are committed ten thousand at a time; a bad line stops the import and is named, what came
    before it stays (taking the same file again changes nothing).

    Raises:
        BadCandleFileError: a column is missing, a value is no number, a row can't be a candle.
    """
    total = Stored()
    for chunk in _chunks(_rows(lines, name)):
        _require_sound([row for _, row in chunk], series, name, chunk[0][0])
        total += storing.upsert_candles(
            series_id=series.pk, rows=[row for _, row in chunk], source=Source.IMPORT, now=now
        )
    return total


def _chunks(rows: Iterator[tuple[int, Row]]) -> Iterator[list[tuple[int, Row]]]:
    part: list[tuple[int, Row]] = []
    for numbered in rows:
        part.append(numbered)
        if len(part) == CHUNK:
            yield part
            part = []
    if part:
        yield part


def _rows(lines: Iterable[str], name: str) -> Iterator[tuple[int, Row]]:
    reader = csv.reader(lines)
    heading = [cell.strip().lower().lstrip("\ufeff") for cell in next(reader, [])]
    time = next((column for column in _TIMES if column in heading), None)
    if time is None or not set(_VALUES) <= set(heading):
        needed = f"one of {', '.join(_TIMES)}, and {', '.join(_VALUES)}"
        raise BadCandleFileError(f"{name}, line 1: the heading must name {needed}")
    places = [heading.index(column) for column in (time, *_VALUES)]
    for cells in reader:
        if not cells:
            continue
        try:
            opened, *values = (cells[place] for place in places)
            first, high, low, last, volume = map(float, values)
            yield reader.line_num, Row(_moment_ms(opened), first, high, low, last, volume)
        except (ValueError, IndexError) as error:
            raise BadCandleFileError(f"{name}, line {reader.line_num}: {error}") from error


def _moment_ms(text: str) -> int:
    if text.strip().isdecimal():
        number = int(text)
        return number // 1000 if number >= 10**14 else number  # microseconds since 2025
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        raise ValueError(f"the moment {text!r} has no offset")
    return round(moment.timestamp() * 1000)


def _require_sound(rows: list[Row], series: Series, name: str, line: int) -> None:
    grid = timeframes.of(series.timeframe)
    low, high = min(row.open_time for row in rows), max(row.open_time for row in rows)
    asked = Asked(series.market.symbol, grid, low, high + 1)
    try:
        found = checking.check(rows, asked, policy=Policy.REJECT)
    except checking.BadRowsError as error:
        raise BadCandleFileError(f"{name}, from line {line}: {error}") from error
    if not found.is_whole:
        raise BadCandleFileError(f"{name}, from line {line}: a value is not finite")
