"""Decides which of PostgreSQL's errors are counted as trouble, and as which kind."""

from typing import Final

import psycopg

from project.db.recording import ErrorKind

#: By SQLSTATE, or by its class of two characters (PostgreSQL's appendix A).
_KINDS: Final = {
    "40P01": ErrorKind.DEADLOCK,
    "40001": ErrorKind.BUSY,  # could not serialise
    "55P03": ErrorKind.BUSY,  # lock not available
    "57014": ErrorKind.BUSY,  # cancelled by a time limit
    "53300": ErrorKind.CONNECT,  # too many connections
    "53100": ErrorKind.FULL,
    "58030": ErrorKind.IO,
    "57P01": ErrorKind.CONNECT,  # shut down by an administrator, crashed, or starting
    "57P02": ErrorKind.CONNECT,
    "57P03": ErrorKind.CONNECT,
    "08": ErrorKind.CONNECT,
    "28": ErrorKind.CONNECT,
    "XX001": ErrorKind.CORRUPT,
    "XX002": ErrorKind.CORRUPT,
}
_ABOUT_VALUES: Final = (psycopg.IntegrityError, psycopg.DataError)


def kind_of(error: BaseException) -> ErrorKind | None:
    """Return the kind of ``error``, or nothing for those that are about values."""
    if not isinstance(error, psycopg.Error) or isinstance(error, _ABOUT_VALUES):
        return None
    state = error.sqlstate
    if state is not None:
        return _KINDS.get(state) or _KINDS.get(state[:2], ErrorKind.STATEMENT)
    is_lost = isinstance(error, psycopg.OperationalError)
    return ErrorKind.CONNECT if is_lost else ErrorKind.STATEMENT
