"""Decides which line of code counts as the place where a connection was taken."""

import os
import sys
import sysconfig
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Final

import django

_OWN: Final = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120 -- compared with code's file names
_DJANGO_DB: Final = os.path.join(os.path.dirname(django.__file__), "db") + os.sep  # noqa: PTH118, PTH120 -- likewise
_LIBRARIES: Final = tuple(
    {os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "purelib")}
    | {sysconfig.get_path(name) + os.sep for name in ("stdlib", "purelib")}
)
_DEEPEST: Final = 60
_MACHINERY, _LIBRARY, _PRODUCT = range(3)

#: What kind of code a code object is; there are as many as functions that query.
_kinds: dict[CodeType, int] = {}


@dataclass(frozen=True, slots=True)
class Place:
    """One line of code, and the thread that ran it."""

    file: str
    line: int
    thread: str

    def __str__(self) -> str:
        return f"{_short(self.file)}:{self.line}"


def _short(file: str) -> str:
    """Return ``file`` from the product's root, or from the library's package."""
    for root in (os.path.dirname(os.path.dirname(os.path.dirname(_OWN))) + os.sep, *_LIBRARIES):  # noqa: PTH120 -- text, not files
        if file.startswith(root):
            return file[len(root) :].removeprefix(f"site-packages{os.sep}")
    return file


def _kind_of(code: CodeType) -> int:
    """Say whether ``code`` is the database's machinery, another library or the product."""
    file = code.co_filename
    if file.startswith(_DJANGO_DB) or (file.startswith(_OWN) and "stress" not in file):
        return _MACHINERY
    return _LIBRARY if file.startswith((*_LIBRARIES, "<")) else _PRODUCT


def _remembered_kind(code: CodeType) -> int:
    kind = _kinds.get(code)
    if kind is None:
        kind = _kinds[code] = _kind_of(code)
    return kind


def taken_by(thread: str) -> Place:
    """Return the innermost line of the product that led here, else the library's line.

    It runs at each check-out, hence walks frames and formats nothing.
    """
    frame: FrameType | None = sys._getframe(1)
    library: FrameType | None = None
    outermost = frame
    for _ in range(_DEEPEST):
        if frame is None:
            break
        kind = _remembered_kind(frame.f_code)
        if kind == _PRODUCT:
            return Place(frame.f_code.co_filename, frame.f_lineno, thread)
        if kind == _LIBRARY and library is None:
            library = frame
        outermost, frame = frame, frame.f_back
    found = library or outermost
    assert found is not None  # noqa: S101 -- there is at least the calling frame
    return Place(found.f_code.co_filename, found.f_lineno, thread)
