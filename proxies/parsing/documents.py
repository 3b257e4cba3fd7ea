"""Reading JSON an entry at a time: a list of any length is never held whole."""

import json
from collections.abc import Iterator
from typing import Any, Final

_CHUNK: Final = 65_536
#: No record of a published list is longer; what is longer is taken apart.
_LONGEST: Final = 262_144
_BLANK: Final = " \t\r\n\ufeff"


class BrokenDocumentError(ValueError):
    """The text is no JSON, from somewhere on."""


class _TooLongError(Exception):
    """The value that begins here is too long to be held; nothing of it is passed over."""


def entries(file: Any) -> Iterator[Any]:
    """Yield the entries of an array, else the one value that the text is.

    What is longer than any record comes in parts, a list entry by entry, an object member by
    member: ``{"data": […]}`` as ``{"data": first}``, ``{"data": second}`` and so on.

    Args:
        file: text, at its beginning.

    Raises:
        BrokenDocumentError: it is no JSON; what came before was whole.
    """
    reading = _Reading(file)
    if reading.peek() == "[":
        yield from _apart(reading)
    elif reading.is_longer_than(_LONGEST):
        yield from _value(reading)
        if reading.peek():
            raise BrokenDocumentError("the list goes on behind its end")
    else:
        yield _whole(reading)


def _whole(reading: "_Reading") -> Any:
    try:
        return json.loads(reading.rest())
    except (ValueError, RecursionError) as error:
        raise BrokenDocumentError("the list is no JSON") from error


def _value(reading: "_Reading") -> Iterator[Any]:
    """Yield the next value: whole, or in parts where it is too long."""
    try:
        found = reading.value()
    except _TooLongError:
        yield from _apart(reading)
    else:
        yield found


def _apart(reading: "_Reading") -> Iterator[Any]:
    """Yield the parts of the array or object that begins here."""
    match reading.peek():
        case "[":
            for _ in _stops(reading, "]"):
                yield from _value(reading)
        case "{":
            for _ in _stops(reading, "}"):
                name = _name(reading)
                for each in _value(reading):
                    yield {name: each}
        case _:
            raise BrokenDocumentError("the list breaks off")


def _name(reading: "_Reading") -> str:
    """Return the name of the member that begins here, and pass over its colon."""
    try:
        found = reading.value()
    except _TooLongError as error:
        raise BrokenDocumentError("a name is too long") from error
    if not isinstance(found, str) or reading.peek() != ":":
        raise BrokenDocumentError("the list breaks off")
    reading.skip(1)
    return found


def _stops(reading: "_Reading", closing: str) -> Iterator[None]:
    """Stop before each part of an array or object; its end is passed over."""
    reading.skip(1)
    while reading.peek() != closing:
        yield
        mark = reading.peek()
        if mark not in (",", closing):
            raise BrokenDocumentError("the list breaks off")
        if mark == ",":  # one too many is borne
            reading.skip(1)
    reading.skip(1)


class _Reading:
    """A text with what has been read of it and not yet been used."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._text: str = ""
        self._at = 0
        self._is_over = False
        self._decoder = json.JSONDecoder()

    def _more(self, size: int = _CHUNK) -> bool:
        piece: str = "" if self._is_over else self._file.read(size)
        self._is_over = self._is_over or not piece
        self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)

    def peek(self) -> str:
        """Return the next character that is no blank; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def skip(self, count: int) -> None:
        """Pass over characters that were peeked at."""
        self._at += count

    def rest(self) -> str:
        """Return all that is left."""
        left: str = self._file.read()
        found = self._text[self._at :] + left
        self._text, self._at, self._is_over = "", 0, True
        return found.strip(_BLANK)

    def is_longer_than(self, size: int) -> bool:
        """Say whether more than ``size`` letters are left."""
        while len(self._text) - self._at <= size:
            if not self._more():
                return False
        return True

    def value(self) -> Any:
        """Return the next value, reading as much as it needs.

        Raises:
            BrokenDocumentError: there is none.
            _TooLongError: it is longer than is held.
        """
        self.peek()
        size = _CHUNK
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise BrokenDocumentError("the list is too deep") from error
            except ValueError as error:
                if len(self._text) - self._at > _LONGEST:
                    raise _TooLongError from error
                if not self._more(size):
                    raise BrokenDocumentError("the list breaks off") from error
                size *= 2  # so that a long entry isn't read over and over
                continue
            if end == len(self._text) and self._more(size):
                continue  # a number may go on
            self._at = end
            return found
