"""Decides how messages wait, are claimed and come back in the broker's SQLite file.

A message is a row. Claiming writes the claimant's token into it, acknowledging deletes it. The
claims of a process that is gone go back at once: its token is kept with its number and starting
moment. The reasons are in ``project/decisions/0005``.
"""

import os
import sqlite3
import threading
import time
import uuid
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from project.core import pids

BUSY_TIMEOUT_S: Final = 30.0
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA journal_size_limit=16777216",
)
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS message(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    payload TEXT NOT NULL,
    sent_at REAL NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 0,
    owner TEXT);
CREATE INDEX IF NOT EXISTS message_ready ON message(queue, priority DESC, id) WHERE owner IS NULL;
CREATE INDEX IF NOT EXISTS message_held ON message(owner) WHERE owner IS NOT NULL;
CREATE TABLE IF NOT EXISTS owner(
    token TEXT PRIMARY KEY,
    pid INTEGER NOT NULL,
    incarnation TEXT NOT NULL);
"""
_FIRST_READY: Final = (
    "(SELECT id FROM message WHERE queue = ? AND owner IS NULL ORDER BY priority DESC, id LIMIT 1)"
)
_CLAIM: Final = (
    "UPDATE message SET owner = ?, deliveries = deliveries + 1"  # noqa: S608 -- constants alone
    f" WHERE id = {_FIRST_READY} RETURNING id, payload, deliveries"
)
_RELEASE_ALL: Final = "UPDATE message SET owner = NULL WHERE owner = ?"
_FORGET: Final = "DELETE FROM owner WHERE token = ?"


@dataclass(frozen=True)
class Claimed:
    """A message that the caller holds until it is acknowledged or released."""

    number: int
    payload: str
    deliveries: int


class QueueFile:
    """One connection to the file, opened when first needed and used under a lock.

    Acknowledgements come from the threads of the worker's pool, hence the lock. A connection
    must not cross a fork: it is closed before one and opened anew on both sides.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._token = ""
        with _OPEN_LOCK:
            _OPEN.add(self)

    def put(self, queue: str, payload: str, *, priority: int) -> None:
        """Add a message; of those that wait, the highest ``priority`` is claimed first."""
        self._run(
            "INSERT INTO message(queue, priority, payload, sent_at) VALUES (?, ?, ?, ?)",
            queue, priority, payload, time.time(),
        )  # fmt: skip

    def claim(self, queue: str) -> Claimed | None:
        """Claim the next message of ``queue``; None where none waits."""
        if not self._run("SELECT 1 FROM message WHERE queue = ? AND owner IS NULL LIMIT 1", queue):
            return None  # looking takes no write lock: an idle worker disturbs nobody
        with self.lock:
            rows = self._run(_CLAIM, self._registered(), queue)
        return Claimed(*rows[0]) if rows else None

    def acknowledge(self, number: int) -> None:
        """Delete a message that is still held here."""
        self._run("DELETE FROM message WHERE id = ? AND owner = ?", number, self._token)

    def release(self, number: int) -> None:
        """Let a message that is still held here be claimed again, in its old place."""
        self._run("UPDATE message SET owner = NULL WHERE id = ? AND owner = ?", number, self._token)

    def waiting(self, queue: str) -> int:
        """Count the messages of ``queue`` that nobody holds."""
        rows = self._run("SELECT count(*) FROM message WHERE queue = ? AND owner IS NULL", queue)
        return int(rows[0][0])

    def purge(self, queue: str) -> int:
        """Delete the messages of ``queue`` that nobody holds; return how many those were."""
        return len(
            self._run("DELETE FROM message WHERE queue = ? AND owner IS NULL RETURNING id", queue)
        )

    def drop(self, queue: str) -> None:
        """Delete all messages of ``queue``."""
        self._run("DELETE FROM message WHERE queue = ?", queue)

    def version(self) -> int:
        """Return a number that changes when another connection has written."""
        return int(self._run("PRAGMA data_version")[0][0])

    def recover(self) -> None:
        """Let go what processes hold that are gone: kill -9, a power cut, a reboot."""
        for token, pid, incarnation in self._run("SELECT token, pid, incarnation FROM owner"):
            if pids.incarnation(pid) != incarnation:
                self._forget(token)

    def close(self) -> None:
        """Let go what is held here and close the connection; it opens again when used."""
        with self.lock:
            if self._token:
                self._forget(self._token)
            self.disconnect()
            self._token = ""

    def disconnect(self) -> None:
        """Close the connection alone; what is held stays held."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def start_anew(self) -> None:
        """Hold nothing: called in a forked process, which is another claimant."""
        self.lock = threading.RLock()
        self._token = ""

    def _run(self, sql: str, *values: object) -> list[Any]:
        """Run one statement, which is a transaction of its own, and return its rows."""
        with self.lock:
            return self._connected().execute(sql, values).fetchall()

    def _connected(self) -> sqlite3.Connection:
        """Return the connection, opened if need be."""
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            connection.executescript(_SCHEMA)
            self._connection = connection
        return self._connection

    def _registered(self) -> str:
        """Return this claimant's token, written down before the first claim."""
        if not self._token:
            self._token = uuid.uuid4().hex
            pid = os.getpid()
            self._run(
                "INSERT INTO owner(token, pid, incarnation) VALUES (?, ?, ?)",
                self._token, pid, pids.incarnation(pid),
            )  # fmt: skip
        return self._token

    def _forget(self, token: str) -> None:
        """Release everything that ``token`` holds, and the token."""
        with self.lock:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_RELEASE_ALL, (token,))
            connection.execute(_FORGET, (token,))
            connection.execute("COMMIT")


_OPEN: weakref.WeakSet[QueueFile] = weakref.WeakSet()
_OPEN_LOCK = threading.Lock()
_held_for_fork: list[QueueFile] = []


def _before_fork() -> None:
    """Stop every thread at its next statement and close the connections."""
    _OPEN_LOCK.acquire()
    for file in list(_OPEN):
        file.lock.acquire()
        file.disconnect()
        _held_for_fork.append(file)


def _after_fork_in_parent() -> None:
    """Let the threads go on; each opens its connection again."""
    while _held_for_fork:
        _held_for_fork.pop().lock.release()
    _OPEN_LOCK.release()


def _after_fork_in_child() -> None:
    """Start with free locks, no connection and no claim."""
    while _held_for_fork:
        _held_for_fork.pop().start_anew()
    _OPEN_LOCK.release()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork_in_child,
)
