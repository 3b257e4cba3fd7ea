"""Which letters the bytes of a list are, and whether they are letters at all."""

import codecs
from typing import Final

from project.core.errors import InvalidInputError

_SOME_BYTES: Final = 400
#: How files begin that are no text, whatever their names say.
_KINDS: Final = {
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a zip file or a spreadsheet",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"7z\xbc\xaf": "a 7-Zip file",
    b"Rar!": "a RAR file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"%PDF-": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"\xd0\xcf\x11\xe0": "an office document",
    b"SQLite format": "a database",
}
_CONTROLS: Final = bytes({*range(32)} - {*b"\t\n\v\f\r\x1a\x1b"})
#: Of so many characters at most one may be such a control character.
_ONE_OF: Final = 20


class UnreadableListError(InvalidInputError):
    """The list as a whole can't be read, e.g. broken JSON, or no text at all."""

    code = "unreadable_list"
    title = "The list can't be read"


def encoding_of(head: bytes) -> str:
    """Return how the text is written that begins with ``head``.

    Raises:
        UnreadableListError: it is no text.
    """
    known = _written_in(head)
    kind = next((words for mark, words in _KINDS.items() if head.startswith(mark)), "")
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if not kind and known == "utf-8-sig" and controls * _ONE_OF > len(head):
        kind = "no text"
    if kind:
        raise UnreadableListError(f"this is {kind}: hand in the list itself, as text")
    return known


def _written_in(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    few = head[:_SOME_BYTES]
    if few[1::2].count(0) > len(few) // 4:  # every other byte is zero: somebody's Windows
        return "utf-16-le"
    return "utf-16-be" if few[::2].count(0) > len(few) // 4 else "utf-8-sig"


def text_of(data: bytes) -> str:
    """Return a whole list as text, in whichever of the usual ways it is written.

    Raises:
        UnreadableListError: it is no text.
    """
    return data.decode(encoding_of(data[:65536]), "replace")
