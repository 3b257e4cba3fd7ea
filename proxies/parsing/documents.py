"""Reading JSON an entry at a time: a list of any length is never held whole."""

import json
from collections.abc import Iterator
from typing import Any, Final

_CHUNK: Final = 65_536
#: No entry of a published list is longer.
_LONGEST: Final = 4 * 1024 * 1024
_BLANK: Final = " \t\r\n\ufeff"


class BrokenDocumentError(ValueError):
    """The text is no JSON, from somewhere on."""


def entries(file: Any) -> Iterator[Any]:
    """Yield the entries of an array, else the one value that the text is.

    Args:
        file: text, at its beginning.

    Raises:
        BrokenDocumentError: it is no JSON; what came before was whole.
    """
    reading = _Reading(file)
    first = reading.peek()
    if first != "[":
        yield _whole(reading)
        return
    reading.skip(1)
    if reading.peek() == "]":
        return
    while True:
        yield reading.value()
        mark = reading.peek()
        if mark not in (",", "]"):
            raise BrokenDocumentError("the list breaks off")
        reading.skip(1)
        if mark == "]":
            return
        if reading.peek() == "]":  # a comma too many
            return


def _whole(reading: "_Reading") -> Any:
    try:
        return json.loads(reading.rest())
    except (ValueError, RecursionError) as error:
        raise BrokenDocumentError("the list is no JSON") from error


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

    def value(self) -> Any:
        """Return the next value, reading as much as it needs."""
        self.peek()
        size = _CHUNK
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise BrokenDocumentError("the list is too deep") from error
            except ValueError as error:
                if len(self._text) - self._at > _LONGEST or not self._more(size):
                    raise BrokenDocumentError("the list breaks off") from error
                size *= 2  # so that a long entry isn't read over and over
                continue
            if end == len(self._text) and self._more(size):
                continue  # a number may go on
            self._at = end
            return found
