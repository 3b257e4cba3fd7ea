"""Rows out of CSV and of freqtrade's JSON, read piece by piece from a stream of bytes."""

import codecs
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
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
#: The comma last: where another one separates, it may stand in numbers.
_DELIMITERS: Final = ";\t|,"
#: Columns of a line of candles, at least: a moment and five values.
_FEWEST: Final = 6
#: Columns of files without a heading: the plain ones; with the number of trades; Binance's.
_PLAIN_COLUMNS: Final = (6, 7)
_BINANCE_COLUMNS: Final = (11, 12)
#: Lines before the heading: where the file comes from, remarks.
_PREAMBLE: Final = 20
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
    before, first = _first(lines, name)
    delimiter = _delimiter(first)
    reader = csv.reader(chain((first,), lines), delimiter=delimiter)
    has_comma = delimiter != ","
    batch = Batch()
    try:
        cells = next(reader)
        where = f"{name}, line {before + 1}"
        places = _without_heading(cells, where, decimal_comma=has_comma)
        if places is None:
            places = named(cells, where, decimal_comma=has_comma)
        else:
            batch.take(before + 1, cells, places)
        for cells in reader:
            if cells:
                batch.take(before + reader.line_num, cells, places)
            if len(batch) >= BATCH:
                yield batch
                batch = Batch()
    except csv.Error as error:
        raise BadCandleFileError(f"{name}, line {before + reader.line_num}: {error}") from error
    if len(batch):
        yield batch


def _delimiter(line: str) -> str:
    """Return what separates the columns of a line."""
    enough = (mark for mark in _DELIMITERS if line.count(mark) >= _FEWEST - 1)
    return next(enough, max(_DELIMITERS, key=line.count))


def _first(lines: Iterator[str], name: str) -> tuple[int, str]:
    """Return how many lines stand before the heading or the first row, and that line.

    Blank lines, remarks and addresses are passed by. Where no line has columns enough for one,
    the first that says something is it, to be told what it lacks.
    """
    told: tuple[int, str] | None = None
    for number, line in enumerate(islice(lines, _PREAMBLE)):
        if not line.strip():
            continue
        if line.count(_delimiter(line)) >= _FEWEST - 1 and not line.startswith("#"):
            return number, line
        told = told or (number, line)
    if told is None:
        raise BadCandleFileError(f"{name}, line 1: nothing there")
    return told


def _without_heading(cells: list[str], where: str, *, decimal_comma: bool) -> Places | None:
    """Return the usual places where the first line is a row already; None where it's a heading.

    Raises:
        BadCandleFileError: nobody can tell which of its columns is which.
    """
    try:
        moment_ms(cells[0])
    except ValueError:
        return None
    count = len(cells) - (not cells[-1].strip())  # lines may end with a delimiter
    if count in _BINANCE_COLUMNS:
        return replace(BINANCE, decimal_comma=decimal_comma)
    if count not in _PLAIN_COLUMNS:
        raise BadCandleFileError(
            f"{where}: {count} columns without a heading: name them in a first line"
        )
    return replace(PLAIN, decimal_comma=decimal_comma)


def _lines(stream: Bytes, name: str) -> Iterator[str]:
    """Yield the lines of a text, decoded, none longer than ``LONGEST``."""
    head = stream.read(4)
    encoding = "utf-16" if head[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8-sig"
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    rest, number = "", 0
    piece = head
    while True:
        try:
            text = rest + decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            raise BadCandleFileError(f"{name}, after line {number}: not a text") from error
        *whole, rest = text.split("\n")
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
    if not rest.startswith(b"[") or rest[1:].lstrip().startswith(b"{"):
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
