"""Decides which line of code counts as the place where a connection was taken."""

import os
import sys
import sysconfig
from contextvars import ContextVar
from types import CodeType, FrameType
from typing import Final, NamedTuple

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

#: What kind of code a code object is, by its id: its own hash is slow. Keeping the code object
#: keeps the id from being given to another. There are as many as functions that query.
_kinds: dict[int, tuple[CodeType, int]] = {}

#: Depths of the stack at which the product's code was found lately.
_depths: tuple[int, ...] = ()
_DEPTHS_TRIED: Final = 4

#: What the present request or task is, e.g. ``"GET /api/runs"``, set by its edge. Async code
#: queries in a thread whose stack doesn't show it; the context does.
doing: ContextVar[str] = ContextVar("doing", default="")


class Place(NamedTuple):
    """One line of code, the thread that ran it, and what for.

    It is made at each check-out and hardly ever read: the line is worked out when it is.
    """

    code: CodeType
    instruction: int
    thread: str
    purpose: str

    @property
    def file(self) -> str:
        """The file's full path."""
        return self.code.co_filename

    @property
    def line(self) -> int:
        """The line's number, from 1."""
        for begin, end, line in self.code.co_lines():
            if line is not None and begin <= self.instruction < end:
                return line
        return self.code.co_firstlineno

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


def _learn(code: CodeType) -> tuple[CodeType, int]:
    found = _kinds[id(code)] = (code, _kind_of(code))
    return found


def taken_by(thread: str) -> Place:
    """Return a line of the product that led here, the innermost as a rule; else a library's.

    It runs at each check-out. Looking at a frame costs more than anything else here, so the
    depths where the product's code was found lately are tried first.
    """
    found = _at_known_depth()
    if found is None:
        found = _walk()
    return Place(found.f_code, found.f_lasti, thread, doing.get())


def _at_known_depth() -> FrameType | None:
    """Return the product's frame if it lies, right above machinery, where others lay lately."""
    for depth in _depths:
        try:
            frame = sys._getframe(depth)
        except ValueError:  # the stack isn't that deep
            continue
        if _kind(frame) == _PRODUCT and _kind(sys._getframe(depth - 1)) != _PRODUCT:
            return frame
    return None


def _walk() -> FrameType:
    """Look at every frame from the inside and remember where the product's code begins."""
    frame = outermost = sys._getframe(1)
    library: FrameType | None = None
    for depth in range(1, _DEEPEST):
        kind = _kind(frame)
        if kind == _PRODUCT:
            _remember(depth)
            return frame
        if kind == _LIBRARY and library is None:
            library = frame
        outermost, caller = frame, frame.f_back
        if caller is None:
            break
        frame = caller
    return library or outermost


def _kind(frame: FrameType) -> int:
    code = frame.f_code
    return (_kinds.get(id(code)) or _learn(code))[1]


def _remember(depth: int) -> None:
    """Try ``depth`` first from now on; both searches run one frame below ``taken_by``."""
    global _depths  # noqa: PLW0603 -- replaced as a whole, so readers need no lock
    _depths = (depth, *(known for known in _depths if known != depth))[:_DEPTHS_TRIED]
