"""Reading a whole list: finding out its format, then entry by entry."""

import codecs
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import IO, Any, Final

from project.core.errors import InvalidInputError
from proxies.choices import ListFormat
from proxies.parsing.found import PROTOCOLS, Candidate, Found, ListOptions, Refused, RefusedError
from proxies.parsing.found import masked as without_secrets
from proxies.parsing.lines import parse_line
from proxies.parsing.records import is_record, parse_record
from proxies.parsing.tables import csv_rows, heading_of, html_rows

_PEEK_BYTES: Final = 65536
_HEADING_WITHIN: Final = 20
#: Longer lines are refused in pieces: no published proxy is so long.
MAX_LINE: Final = 4096
_IPV6: Final = re.compile(r"\[[0-9A-Fa-f:.]+\]:\d")


class UnreadableListError(InvalidInputError):
    """The list as a whole can't be read, e.g. broken JSON."""

    code = "unreadable_list"
    title = "The list can't be read"


def parse_text(text: str, options: ListOptions | None = None) -> Iterator[Found]:
    """Yield what a list in memory holds; as ``parse``."""
    return parse(io.BytesIO(text.encode("utf-8", "replace")), options)


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
    encoding = _encoding(head)
    known = asked.format
    if known == ListFormat.AUTO:
        known = detect(head.decode(encoding, "replace"))
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline=None)
    try:
        yield from _READERS[known](text, str(asked.default_scheme))
    finally:
        text.detach()


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def detect(head: str) -> str:
    """Return the format of a list by its beginning."""
    text = head.lstrip("\ufeff \t\r\n")
    lowered = text[:2048].lower()
    if lowered.startswith(("<!doctype", "<html", "<table")) or "<table" in head.lower():
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


def _tried(number: int, text: str, read: Callable[[], list[Candidate]]) -> Iterator[Found]:
    """Yield what ``read`` gives, or why it was refused."""
    try:
        yield from read()
    except RefusedError as refused:
        yield Refused(number, without_secrets(text), refused.reason)


def _lines(file: Iterable[str], default_scheme: str) -> Iterator[Found]:
    for number, line in enumerate(_bounded(file), 1):
        if len(line) >= MAX_LINE:
            yield Refused(number, without_secrets(line), "too_long")
            continue
        yield from _tried(number, line, partial(parse_line, line, default_scheme=default_scheme))


def _bounded(file: Any) -> Iterator[str]:
    """Yield lines of at most ``MAX_LINE`` characters: a file without line ends is no surprise."""
    while line := file.readline(MAX_LINE):
        yield line


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
    try:
        value = json.load(file)
    except (ValueError, RecursionError) as error:
        raise UnreadableListError("the list is no JSON") from error
    entries = value if isinstance(value, list) else [value]
    for number, entry in enumerate(entries, 1):
        yield from _walk(entry, default_scheme, number)


def _walk(value: Any, default_scheme: str, number: int) -> Iterator[Found]:
    """Yield what an entry holds: a string, a record, or lists of them at any depth."""
    if isinstance(value, str):
        yield from _tried(number, value, partial(parse_line, value, default_scheme=default_scheme))
    elif isinstance(value, dict) and is_record(value):
        host = str(next(iter(value.values()), ""))
        yield from _tried(number, host, partial(parse_record, value, default_scheme=default_scheme))
    elif isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, dict | list):
                scheme = str(PROTOCOLS.get(str(name).lower(), default_scheme))
                yield from _walk(inner, scheme, number)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, default_scheme, number)


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
