"""Decides which line of code counts as the place where a connection was taken."""

import os
import sys
import sysconfig
from contextvars import ContextVar
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Final

import django

_OWN: Final = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120 -- compared with code's file names
_DJANGO: Final = os.path.dirname(django.__file__) + os.sep  # noqa: PTH120 -- likewise
_DJANGO_MACHINERY: Final = (f"{_DJANGO}db{os.sep}", f"{_DJANGO}utils{os.sep}")
_LIBRARIES: Final = tuple(
    {os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "purelib")}
    | {sysconfig.get_path(name) + os.sep for name in ("stdlib", "purelib")}
)
_DEEPEST: Final = 60
_MACHINERY, _LIBRARY, _PRODUCT = range(3)

#: What kind of code a code object is; there are as many as functions that query.
_kinds: dict[CodeType, int] = {}


#: What the present request or task is, e.g. ``"GET /api/runs"``, set by its edge. Async code
#: queries in a thread whose stack doesn't show it; the context does.
doing: ContextVar[str] = ContextVar("doing", default="")


@dataclass(frozen=True, slots=True)
class Place:
    """One line of code, the thread that ran it, and what for."""

    file: str
    line: int
    thread: str
    purpose: str = ""

    def __str__(self) -> str:
        purpose = f" ({self.purpose})" if self.purpose else ""
        return f"{_short(self.file)}:{self.line}{purpose}"


def _short(file: str) -> str:
    """Return ``file`` from the product's root, or from the library's package."""
    for root in (os.path.dirname(os.path.dirname(os.path.dirname(_OWN))) + os.sep, *_LIBRARIES):  # noqa: PTH120 -- text, not files
        if file.startswith(root):
            return file[len(root) :].removeprefix(f"site-packages{os.sep}")
    return file


def _kind_of(code: CodeType) -> int:
    """Say whether ``code`` is the database's machinery, another library or the product."""
    file = code.co_filename
    if file.startswith(_DJANGO_MACHINERY) or (file.startswith(_OWN) and "stress" not in file):
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
            return _at(frame, thread)
        if kind == _LIBRARY and library is None:
            library = frame
        outermost, frame = frame, frame.f_back
    found = library or outermost
    assert found is not None  # noqa: S101 -- there is at least the calling frame
    return _at(found, thread)


def _at(frame: FrameType, thread: str) -> Place:
    return Place(frame.f_code.co_filename, frame.f_lineno, thread, doing.get())
