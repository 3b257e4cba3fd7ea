"""Rows out of CSV and of freqtrade's JSON, read piece by piece from a stream of bytes."""

import codecs
import csv
import json
from collections.abc import Iterator
from typing import Final, Protocol

import orjson

from markets.adapters.files.lines import (
    BATCH,
    BINANCE,
    PLAIN,
    BadCandleFileError,
    Batch,
    Places,
    moment_ms,
    named,
)

#: No line of candles is longer; without a bound one endless line would fill the memory.
LONGEST: Final = 65_536
_DELIMITERS: Final = ",;\t|"
#: Columns of Binance's archives.
_BINANCE_COLUMNS: Final = (11, 12)
_PIECE: Final = 262_144


class Bytes(Protocol):
    """What rows are read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""


def csv_batches(stream: Bytes, name: str) -> Iterator[Batch]:
    """Yield the rows of a CSV file: any order of columns, any usual delimiter, heading or none.

    Raises:
        BadCandleFileError: no text, an endless line, or a heading that lacks a column.
    """
    lines = _lines(stream, name)
    first = next(lines, "")
    if not first.strip():
        raise BadCandleFileError(f"{name}, line 1: nothing there")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(lines, delimiter=delimiter)
    cells = next(csv.reader([first], delimiter=delimiter))
    has_comma = delimiter == ";"
    places = _without_heading(cells, decimal_comma=has_comma)
    batch = Batch()
    if places is None:
        places = named(cells, f"{name}, line 1", decimal_comma=has_comma)
    else:
        batch.take(1, cells, places)
    try:
        for cells in reader:
            if cells:
                batch.take(reader.line_num + 1, cells, places)
            if len(batch) >= BATCH:
                yield batch
                batch = Batch()
    except csv.Error as error:
        raise BadCandleFileError(f"{name}, line {reader.line_num + 1}: {error}") from error
    if len(batch):
        yield batch


def _without_heading(cells: list[str], *, decimal_comma: bool) -> Places | None:
    """Return the usual places where the first line is a row already; None where it's a heading."""
    try:
        moment_ms(cells[0])
    except ValueError:
        return None
    if len(cells) in _BINANCE_COLUMNS:
        return BINANCE
    return Places(PLAIN.moment, PLAIN.values, decimal_comma=decimal_comma)


def _lines(stream: Bytes, name: str) -> Iterator[str]:
    """Yield the lines of a text, decoded, none longer than ``LONGEST``."""
    head = stream.read(4)
    encoding = "utf-16" if head[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8-sig"
    decoder = codecs.getincrementaldecoder(encoding)()
    rest, number = "", 0
    piece = head
    while True:
        try:
            text = rest + decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            raise BadCandleFileError(f"{name}, after line {number}: not a text") from error
        *whole, rest = text.replace("\r\n", "\n").split("\n")
        for line in whole:
            number += 1
            yield line
        if len(rest) > LONGEST or "\0" in rest:
            raise BadCandleFileError(f"{name}, line {number + 1}: no line of candles")
        if not piece:
            break
        piece = stream.read(_PIECE)
    if rest:
        yield rest


def json_batches(stream: Bytes, name: str) -> Iterator[Batch]:
    """Yield the rows of an array of ``[moment, open, high, low, close, volume]``.

    Raises:
        BadCandleFileError: it is not such an array, or is cut off.
    """
    number, batch = 0, Batch()
    for elements in _parts(stream, name):
        for cells in elements:
            number += 1
            batch.take(number, cells if isinstance(cells, list) else [], PLAIN)
            if len(batch) >= BATCH:
                yield batch
                batch = Batch()
    if len(batch):
        yield batch


def _parts(stream: Bytes, name: str) -> Iterator[list[object]]:
    """Yield the elements of an array of arrays, as many as each piece of the stream completes."""
    rest = stream.read(_PIECE).removeprefix(codecs.BOM_UTF8).lstrip()
    if not rest.startswith(b"["):
        raise BadCandleFileError(f"{name}: an array of arrays is expected")
    rest, number, is_over = rest[1:], 0, False
    while True:
        whole, bracket, rest = rest.rpartition(b"]")
        if len(rest) > LONGEST or (is_over and (bracket or rest.strip())):
            raise BadCandleFileError(f"{name}, after row {number}: no array of candles")
        if bracket:
            elements, is_over = _elements(whole + b"]", name, number)
            number += len(elements)
            yield elements
        piece = stream.read(_PIECE)
        if not piece:
            break
        rest += piece
    if not is_over or rest.strip():
        raise BadCandleFileError(f"{name}, after row {number}: the array is cut off")


def _elements(text: bytes, name: str, number: int) -> tuple[list[object], bool]:
    """Return the elements of a part of the array, and whether its end is among them."""
    inner = text.strip().removeprefix(b",")
    is_over = inner.count(b"]") > inner.count(b"[")
    if is_over:
        inner = inner[:-1]
    try:
        found: list[object] = orjson.loads(b"[" + inner + b"]")
    except json.JSONDecodeError as error:
        raise BadCandleFileError(f"{name}, after row {number}: {error}") from error
    return found, is_over
