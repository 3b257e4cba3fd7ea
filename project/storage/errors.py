"""What can go wrong with backups, restores and moves; each error has its family and code."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from project.core.errors import ConflictError, InvalidInputError, PermanentError, TransientError


class BackupBusyError(TransientError):
    """Another process makes or changes backups right now."""

    code = "backup_busy"
    title = "Another backup is at work"


class NoRoomError(PermanentError):
    """The disk has no room for the backup; nothing half stays behind."""

    code = "backup_no_room"
    title = "No room for the backup"


class BackupFailedError(PermanentError):
    """The backup could not be written, or is not what it should be."""

    code = "backup_failed"
    title = "The backup failed"


class BackupDamagedError(PermanentError):
    """The file is truncated, altered, or lacks what says what it was."""

    code = "backup_damaged"
    title = "The backup is damaged"


class ProgramMissingError(PermanentError):
    """PostgreSQL's own programs are not here, or older than the server."""

    code = "program_missing"
    title = "A program of PostgreSQL is missing"


class StillRunningError(ConflictError):
    """The installation runs on the database that would be replaced or read."""

    code = "still_running"
    title = "The installation is running"


class WrongTargetError(ConflictError):
    """The database named as target may not be written: it holds something else."""

    code = "wrong_target"
    title = "This target can't be written"


class WrongSourceError(InvalidInputError):
    """What was named as source is not there, or is of another kind."""

    code = "wrong_source"
    title = "This source can't be used"


class MoveFailedError(PermanentError):
    """The move did not end; started again it goes on where it was."""

    code = "move_failed"
    title = "The move failed"


_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SQLITE_FULL: Final = "disk is full"


def is_no_room(error: BaseException) -> bool:
    """Say whether ``error`` means a full disk or quota, whoever found it out."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    return _SQLITE_FULL in str(error)


@contextmanager
def room_told(where: object) -> Iterator[None]:
    """Turn a full disk into ``NoRoomError``; every other error passes.

    Raises:
        NoRoomError: the block ran out of room.
    """
    try:
        yield
    except Exception as error:
        if is_no_room(error):
            raise NoRoomError(f"{where}: {error}") from error
        raise
