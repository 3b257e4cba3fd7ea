"""What comes out of a candle file: rows, and lines that are none; what its columns are called."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from markets.rows import Row
from project.core.errors import InvalidInputError

#: Rows handed on at once.
BATCH: Final = 10_000
_TIMES: Final = (
    *("open_time_ms", "open_time", "opentime", "open time", "timestamp", "date", "datetime"),
    *("time", "unix", "unix timestamp", "ts", "t"),
    *("__index_level_0__", ""),  # an index of pandas that nobody named
)
_VALUES: Final = (
    ("open", "o"),
    ("high", "h"),
    ("low", "l"),
    ("close", "c"),
    ("volume", "vol", "v", "base_volume"),
)
_TRADES: Final = ("trades", "count", "number_of_trades", "number of trades", "tradecount", "n")
_QUOTE: Final = ("quote_volume", "quote asset volume", "quote_asset_volume", "quotevolume", "q")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]*)?")
_SLASHES: Final = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})")
#: A number below is seconds, milliseconds, microseconds; above, nanoseconds.
_SECONDS, _MILLIS, _MICROS = 10**11, 10**14, 10**17
_GREATEST_MS: Final = 253_402_300_800_000


class BadCandleFileError(InvalidInputError):
    """The file is not one of candles; the message names the line."""

    code = "bad_candle_file"
    title = "Not a file of candles"


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file, each with its line (or number), and lines that could not be read."""

    numbers: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        """Return how many lines it stands for."""
        return len(self.rows) + len(self.faults)

    def take(self, number: int, cells: Sequence[Any], places: "Places") -> None:
        """Read one line: as a row, else as a fault."""
        try:
            self.rows.append(places.row(cells))
            self.numbers.append(number)
        except IndexError:
            self.faults.append((number, f"too short: it has {len(cells)} cells"))
        except (ValueError, TypeError, OverflowError) as error:
            self.faults.append((number, str(error)))


@dataclass(frozen=True, slots=True)
class Places:
    """In which column of a line each value stands."""

    moment: int
    values: tuple[int, int, int, int, int]
    trades: int | None = None
    quote_volume: int | None = None
    decimal_comma: bool = False

    def row(self, cells: Sequence[Any]) -> Row:
        """Return a line as a row.

        Raises:
            ValueError: a cell isn't what it should be.
        """
        values = [self._number(cells[place]) for place in self.values]
        trades = None if self.trades is None else self._number(cells[self.trades])
        quote = None if self.quote_volume is None else self._number(cells[self.quote_volume])
        moment = moment_ms(cells[self.moment])
        first, high, low, last, volume = values
        count = None if trades is None else int(trades)
        return Row(
            moment, first, high, low, last, volume, final=True, trades=count, quote_volume=quote
        )

    def _number(self, cell: Any) -> float:
        if isinstance(cell, bool) or cell is None:
            raise ValueError(f"{cell!r} is no number")
        if isinstance(cell, str):
            if self.decimal_comma:
                cell = cell.replace(",", ".")
            if "_" in cell or not cell.isascii():  # Python takes 1_000 and digits of any script
                raise ValueError(f"{cell!r} is no number")
        return float(cell)


#: freqtrade's arrays, and CSV without a heading.
PLAIN: Final = Places(0, (1, 2, 3, 4, 5))
#: Binance's archives without a heading: close time in the sixth, then quote volume and trades.
BINANCE: Final = Places(0, (1, 2, 3, 4, 5), trades=8, quote_volume=7)


def named(heading: Sequence[str], where: str, *, decimal_comma: bool = False) -> Places:
    """Return where the columns of a heading are.

    Raises:
        BadCandleFileError: one that is needed is missing.
    """
    names = [name.strip().strip('"').lower() for name in heading]

    def find(wanted: Sequence[str]) -> int | None:
        return next((names.index(name) for name in wanted if name in names), None)

    moment = find(_TIMES)
    values = [find(aliases) for aliases in _VALUES]
    if values[-1] is None:  # "Volume BTC", before "Volume USDT"
        values[-1] = next((n for n, name in enumerate(names) if name.startswith("volume ")), None)
    if moment is None or None in values:
        lacks = [a[0] for a, place in zip(_VALUES, values, strict=True) if place is None]
        lacks = ["a time (open_time_ms, timestamp, date …)"] * (moment is None) + lacks
        raise BadCandleFileError(f"{where}: the heading must name {', '.join(lacks)}")
    found: Any = tuple(values)
    return Places(moment, found, find(_TRADES), find(_QUOTE), decimal_comma)


def moment_ms(cell: Any) -> int:
    """Return a moment in milliseconds: a number of s, ms, µs or ns, ISO 8601, or a ``datetime``.

    Without an offset it is UTC, as candle files mean it.

    Raises:
        ValueError: it is none of these, or outside of 1970 to 9999.
    """
    if isinstance(cell, datetime):
        found = _of_datetime(cell)
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        found = _of_number(cell)
    else:
        text = str(cell).strip()
        if _NUMBER.fullmatch(text):
            found = _of_number(float(text) if "." in text else int(text))
        else:
            text = _SLASHES.sub(r"\1-\2-\3", text.removesuffix(" UTC"), count=1)
            found = _of_datetime(datetime.fromisoformat(text))
    if not 0 <= found < _GREATEST_MS:
        raise ValueError(f"{cell!r} is no moment between 1970 and 9999")
    return found


def _of_datetime(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def _of_number(number: float) -> int:
    size = abs(number)
    if size < _SECONDS:
        return round(number * 1000)
    if size < _MILLIS:
        return int(number)
    return int(number // 1000 if size < _MICROS else number // 1_000_000)
