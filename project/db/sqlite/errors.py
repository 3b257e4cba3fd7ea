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


def kind_of(error: BaseException) -> ErrorKind | None:
    """Return the kind of ``error``, or nothing for those that only concern one statement."""
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", None)
    if code == _BUSY_SNAPSHOT:
        return ErrorKind.DEADLOCK
    if code is not None:
        return _KINDS.get(code & 0xFF)
    return ErrorKind.CONNECT if "closed database" in str(error) else None
