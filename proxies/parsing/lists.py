"""Reading a whole list: finding out its format, then entry by entry."""

import io
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from typing import IO, Any, Final

from proxies.choices import ListFormat
from proxies.parsing import documents
from proxies.parsing.encodings import UnreadableListError, encoding_of
from proxies.parsing.found import (
    PROTOCOLS,
    Candidate,
    Found,
    ListOptions,
    Piece,
    Refused,
    RefusedError,
)
from proxies.parsing.found import masked as without_secrets
from proxies.parsing.lines import parse_line
from proxies.parsing.records import is_record, parse_record
from proxies.parsing.tables import csv_rows, heading_of, html_rows

_PEEK_BYTES: Final = 65536
_SLICE: Final = 16_384
_HEADING_WITHIN: Final = 20
#: Longer lines are refused in pieces: no published proxy is so long.
MAX_LINE: Final = 4096
_IPV6: Final = re.compile(r"\[[0-9A-Fa-f:.]+(?:%\w+)?\][:/]\d")
_ENDPOINT: Final = re.compile(
    r"(?:\w+://)?(?:[^\s/@]+@)?(?:\[[0-9A-Fa-f:.]+\]|[\w-]+(?:\.[\w-]+)+):\d+"
)
_PAIR: Final = 2


def parse_text(text: str, options: ListOptions | None = None) -> Iterator[Found]:
    """Yield what a list in memory holds; as ``parse``."""
    return parse(file_of(text), options)


def file_of(text: str) -> IO[bytes]:
    """Return a text as a file, of which a slice at a time is made: it isn't held twice."""
    starts = range(0, len(text), _SLICE)
    return file_of_pieces(lambda: (text[start : start + _SLICE] for start in starts))


def file_of_pieces(begin: Callable[[], Iterator[str]]) -> IO[bytes]:
    """Return the pieces of a text as a file; ``begin`` is called again for each reading."""
    return io.BufferedReader(_Pieces(begin))


def pieces_of(file: IO[bytes], size: int) -> Iterator[str]:
    """Yield the text of a file, so many letters at a time, whichever way it is written.

    Raises:
        UnreadableListError: it is no text.
    """
    file.seek(0)
    encoding = encoding_of(file.read(_PEEK_BYTES))
    file.seek(0)
    with _text_of(file, encoding) as text:
        while piece := text.read(size):
            yield piece


class _Pieces(io.RawIOBase):
    """A text as bytes, a piece at a time."""

    def __init__(self, begin: Callable[[], Iterator[str]]) -> None:
        self._begin = begin
        self._pieces = begin()
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go back to the beginning; there is no other place to go."""
        if offset or whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only to the beginning")
        self._pieces, self._rest = self._begin(), memoryview(b"")
        return 0

    def readinto(self, buffer: Any) -> int:
        """Encode as much as fits."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece.encode("utf-8", "replace"))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def parse(file: IO[bytes], options: ListOptions | None = None) -> Iterator[Found]:
    """Yield the proxies and the refused entries of a list, in its order.

    Lines are read as they are asked for; only JSON documents are held whole.

    Args:
        file: the list, seekable, at its beginning.
        options: how it is to be read.

    Raises:
        UnreadableListError: the list as a whole can't be read.
    """
    asked = options or ListOptions()
    head = file.read(_PEEK_BYTES)
    file.seek(0)
    encoding = encoding_of(head)
    known = asked.format
    if known == ListFormat.AUTO:
        known = detect(head.decode(encoding, "replace"))
    with _text_of(file, encoding) as text:
        if asked.format == ListFormat.AUTO and known == ListFormat.JSON:
            known = _json_unless_broken(text)
        yield from _READERS[known](text, str(asked.default_scheme))


@contextmanager
def _text_of(file: IO[bytes], encoding: str) -> Iterator[Any]:
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline=None)
    try:
        yield text
    finally:
        text.detach()


def _json_unless_broken(text: Any) -> str:
    """Return how a text is read that begins like JSON: ``[`` may begin a line of prose, too."""
    try:
        deque(islice(documents.entries(text), 2), maxlen=0)  # "[2026-01-05] fresh" has a first one
        known = ListFormat.JSON
    except documents.BrokenDocumentError:
        text.seek(0)
        found = _lines(text, "http")
        known = (
            ListFormat.LINES
            if any(isinstance(each, Candidate) for each in found)
            else ListFormat.JSON
        )
    text.seek(0)
    return known


def detect(head: str) -> str:
    """Return the format of a list by its beginning."""
    text = head.lstrip("\ufeff \t\r\n")
    lowered = text[:2048].lower()
    if (
        lowered.startswith(("<!doctype", "<html", "<table", "<body", "<pre", "<ul"))
        or "<table" in head.lower()
    ):
        return ListFormat.HTML
    if text.startswith("{") and _is_json(text.splitlines()[0]) and len(text.splitlines()) > 1:
        return ListFormat.JSON_LINES
    if text.startswith(("{", "[")) and not _IPV6.match(text):
        return ListFormat.JSON
    if any(heading_of(line) for line in text.splitlines()[:_HEADING_WITHIN]):
        return ListFormat.CSV
    return ListFormat.LINES


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


Read = Callable[[], Sequence[Candidate | Piece]]


def _tried(number: int, text: str, read: Read) -> Iterator[Found]:
    """Yield what ``read`` gives, or why it was refused."""
    try:
        for each in read():
            if isinstance(each, Piece):
                yield Refused(number, without_secrets(each.text), each.reason)
            else:
                yield each
    except RefusedError as refused:
        yield Refused(number, without_secrets(text), refused.reason)


def _lines(file: Iterable[str], default_scheme: str) -> Iterator[Found]:
    for number, line in enumerate(_bounded(file), 1):
        if len(line) >= MAX_LINE:
            yield Refused(number, without_secrets(line), "too_long")
            continue
        yield from _tried(number, line, partial(parse_line, line, default_scheme=default_scheme))


def _bounded(file: Any) -> Iterator[str]:
    """Yield lines of at most ``MAX_LINE`` characters.

    A longer one is cut where its entries are: a file without line ends is no surprise.
    """
    rest = ""
    while line := file.readline(MAX_LINE - len(rest)):
        line, rest = rest + line, ""
        if len(line) >= MAX_LINE:
            at = max(line.rfind(mark) for mark in " ,;|\t")
            if at > 0:
                line, rest = line[:at], line[at + 1 :]
        yield line
    if rest:
        yield rest


def _json_lines(file: Iterable[str], default_scheme: str) -> Iterator[Found]:
    for number, line in enumerate(file, 1):
        text = line.strip("\ufeff \t\r\n,")
        if not text:
            continue
        try:
            value = json.loads(text)
        except ValueError:
            yield Refused(number, without_secrets(text), "bad_json")
            continue
        yield from _walk(value, default_scheme, number)


def _json(file: Any, default_scheme: str) -> Iterator[Found]:
    found = documents.entries(file)
    for number in count(1):
        try:
            entry = next(found)
        except StopIteration:
            return
        except documents.BrokenDocumentError as error:
            raise UnreadableListError(str(error)) from error
        yield from _walk(entry, default_scheme, number)


def _walk(value: Any, default_scheme: str, number: int) -> Iterator[Found]:
    """Yield what an entry holds: a string, a record, a pair, or lists of them at any depth."""
    if isinstance(value, str):
        yield from _text(value, default_scheme, number)
    elif isinstance(value, dict) and is_record(value):
        host = str(next(iter(value.values()), ""))
        yield from _tried(number, host, partial(parse_record, value, default_scheme=default_scheme))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _named(str(name), inner, default_scheme, number)
    elif isinstance(value, list):
        # a host and its port are one entry
        inners = [f"{value[0]} {value[1]}"] if _is_pair(value) else value
        for inner in inners:
            yield from _walk(inner, default_scheme, number)
    elif value is not None:
        yield Refused(number, without_secrets(str(value)), "not_a_proxy")


def _text(text: str, default_scheme: str, number: int) -> Iterator[Found]:
    yield from _tried(number, text, partial(parse_line, text, default_scheme=default_scheme))


def _named(name: str, inner: Any, default_scheme: str, number: int) -> Iterator[Found]:
    """Yield what stands under a name: a protocol's, a section's, or the proxy itself."""
    known = PROTOCOLS.get(name.lower())
    if known is not None:
        yield from _walk(inner, str(known), number)
    elif _ENDPOINT.fullmatch(name):
        yield from _text(name, default_scheme, number)
    elif isinstance(inner, dict | list):
        yield from _walk(inner, default_scheme, number)


def _is_pair(value: list[Any]) -> bool:
    """Say whether a list is a host and its port."""
    if len(value) != _PAIR or not isinstance(value[0], str) or isinstance(value[1], bool):
        return False
    return ":" not in value[0].strip("[]") and str(value[1]).strip().isdigit()


def _csv(file: Iterable[str], default_scheme: str) -> Iterator[Found]:
    for number, row in csv_rows(file):
        yield from _row(number, row, default_scheme)


def _html(file: Iterable[str], default_scheme: str) -> Iterator[Found]:
    for number, row in html_rows(file):
        if isinstance(row, str):
            yield from _tried(number, row, partial(parse_line, row, default_scheme=default_scheme))
        else:
            yield from _row(number, row, default_scheme)


def _row(number: int, row: dict[str, str], default_scheme: str) -> Iterator[Found]:
    text = " ".join(list(row.values())[:2])
    yield from _tried(number, text, partial(parse_record, row, default_scheme=default_scheme))


_READERS: Final[dict[str, Callable[[Any, str], Iterator[Found]]]] = {
    ListFormat.LINES: _lines,
    ListFormat.JSON: _json,
    ListFormat.JSON_LINES: _json_lines,
    ListFormat.CSV: _csv,
    ListFormat.HTML: _html,
}
