"""Decides which errors a full pool and a busy writer raise.

They derive from Django's ``OperationalError``, so code that expects a database's trouble
catches them, and they are told apart from SQLite's own "database is locked".
"""

from django.db.utils import OperationalError


class PoolExhaustedError(OperationalError):
    """No connection of the pool became free within the time limit."""


class WriterBusyError(OperationalError):
    """Another write transaction held the database longer than the time limit."""


class NestedWriterError(OperationalError):
    """This thread writes to the same file already, through another connection.

    Waiting would never end: the thread would wait for itself.
    """
