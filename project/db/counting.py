"""Decides where a database's errors are counted: in the wrapper that Django puts round every call."""

from collections.abc import Callable
from types import TracebackType
from typing import Any

from django.db.utils import DatabaseErrorWrapper

from project.db.recording import ErrorKind, Recorder


class CountingErrorWrapper(DatabaseErrorWrapper):
    """Django's translation of driver errors, which also counts those that mean trouble.

    An error leaves the first wrapper as Django's own class, so an outer one doesn't count it again.
    """

    def __init__(
        self,
        wrapper: Any,
        *,
        recorder_of: Callable[[], Recorder | None],
        kind_of: Callable[[BaseException], ErrorKind | None],
    ) -> None:
        """Count errors of ``wrapper`` in the recorder that is its own at that moment."""
        super().__init__(wrapper)
        self._recorder_of = recorder_of
        self._kind_of = kind_of

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_value is None:  # by far the most calls; some fifteen of them an operation
            return
        self._count(exc_value)
        super().__exit__(exc_type, exc_value, traceback)

    def _count(self, error: BaseException) -> None:
        kind = self._kind_of(error)
        recorder = self._recorder_of()
        if kind is not None and recorder is not None:
            recorder.failed(kind, str(error))
