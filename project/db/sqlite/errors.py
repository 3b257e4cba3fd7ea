"""Decides which of SQLite's errors are counted as trouble, and as which kind."""

import sqlite3
from typing import Final

from project.db.recording import ErrorKind

#: Primary result codes (https://sqlite.org/rescode.html).
_KINDS: Final = {
    5: ErrorKind.BUSY,
    6: ErrorKind.DEADLOCK,  # SQLITE_LOCKED: a conflict inside one process or connection
    10: ErrorKind.IO,
    11: ErrorKind.CORRUPT,
    13: ErrorKind.FULL,
    14: ErrorKind.CONNECT,
    26: ErrorKind.CORRUPT,  # SQLITE_NOTADB
}
#: SQLITE_BUSY_SNAPSHOT: a transaction that read first can never write; waiting wouldn't help.
_BUSY_SNAPSHOT: Final = 517


_BUSY: Final = 5
_ABOUT_VALUES: Final = (sqlite3.IntegrityError, sqlite3.DataError)


def kind_of(error: BaseException) -> ErrorKind | None:
    """Return the kind of ``error``, or nothing for those that are about values."""
    if not isinstance(error, sqlite3.Error) or isinstance(error, _ABOUT_VALUES):
        return None
    code = getattr(error, "sqlite_errorcode", None)
    if code == _BUSY_SNAPSHOT:
        return ErrorKind.DEADLOCK
    if code is None and "closed database" in str(error):
        return ErrorKind.CONNECT
    return _KINDS.get((code or 0) & 0xFF, ErrorKind.STATEMENT)


def mark_old_snapshot(error: sqlite3.OperationalError) -> None:
    """Give ``error`` the extended code which pysqlite3, unlike Python's sqlite3, leaves out.

    The caller knows that a transaction which had read was refused its first write at once.
    """
    if getattr(error, "sqlite_errorcode", None) == _BUSY:
        error.sqlite_errorcode = _BUSY_SNAPSHOT
        error.sqlite_errorname = "SQLITE_BUSY_SNAPSHOT"
