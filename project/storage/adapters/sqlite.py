"""SQLite files: copying one while it is written to, counting what a copy holds, swapping it in."""

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from project.storage import packing
from project.storage.checksums import Sum
from project.storage.errors import (
    BackupDamagedError,
    BackupFailedError,
    StillRunningError,
    WrongSourceError,
    WrongTargetError,
    is_no_room,
)
from project.storage.progress import Tick, ignore

BUSY_S: Final = 20.0
#: One step of the online backup, in pages: some 4 MB, between two safe points.
STEP_PAGES: Final = 1024
ROWS_AT_ONCE: Final = 10_000
_INSTRUCTIONS: Final = 100_000
_COMPANIONS: Final = ("-wal", "-shm", "-journal")


def quoted(name: str) -> str:
    """Return a table's or column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def connect(path: Path, *, mode: str = "rw") -> sqlite3.Connection:
    """Open the file at ``path``, which must be there, without Django and its pool."""
    uri = f"file:{path.as_posix().replace('?', '%3f').replace('#', '%23')}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)


@contextmanager
def stoppable(connection: sqlite3.Connection, tick: Tick) -> Iterator[None]:
    """Let ``tick`` stop long statements: it is called every so many instructions."""
    raised: list[BaseException] = []

    def look() -> int:
        try:
            tick(0.0)
        except BaseException as error:  # noqa: BLE001 -- raised again below
            raised.append(error)
        return len(raised)

    connection.set_progress_handler(look, _INSTRUCTIONS)
    try:
        yield
    except sqlite3.OperationalError:
        if raised:
            raise raised[0] from None
        raise
    finally:
        connection.set_progress_handler(None, 0)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open ``path`` in one read transaction: what it shows does not change while the block runs."""
    with contextlib.closing(connect(path)) as connection:
        # the product's own mode; in any other the reader would make writers wait
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA query_only = 1")
        connection.execute("BEGIN")
        tables(connection)  # the first read decides what is seen
        yield connection


def tables(connection: sqlite3.Connection) -> list[str]:
    """Return the names of all tables but SQLite's own."""
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' "
        "ESCAPE '\\' ORDER BY name"
    )
    return [row[0] for row in rows]


def counts(connection: sqlite3.Connection, *, tick: Tick = ignore) -> dict[str, int]:
    """Return the number of rows of each table."""
    found = {}
    with stoppable(connection, tick):
        for name in tables(connection):
            sql = f"SELECT COUNT(*) FROM {quoted(name)}"  # noqa: S608 -- a quoted name
            found[name] = int(connection.execute(sql).fetchone()[0])
    return found


def checksums(connection: sqlite3.Connection, *, tick: Tick = ignore) -> dict[str, str]:
    """Return each table's sum over its rows as SQLite stores them."""
    found = {}
    for name in tables(connection):
        added = Sum()
        cursor = connection.execute(f"SELECT * FROM {quoted(name)}")  # noqa: S608 -- as above
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            added.add_rows(rows)
            tick(0.0)
        found[name] = str(added)
    return found


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The database as it is at one moment, however long the looking takes."""

    connection: sqlite3.Connection

    def counts(self, *, tick: Tick = ignore) -> dict[str, int]:
        """Return the number of rows of each table."""
        return counts(self.connection, tick=tick)

    def checksums(self, *, tick: Tick = ignore) -> dict[str, str]:
        """Return each table's sum."""
        return checksums(self.connection, tick=tick)

    def chunks(self, scratch: Path, *, tick: Tick = ignore) -> Iterator[bytes]:
        """Give the content of a backup: a copy made beside, page by page, then read and removed.

        The connection's open transaction keeps the copy from starting over when others write,
        and in WAL mode they need not wait for it.
        """
        copy = scratch / "copy.sqlite3"
        with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as target:
            target.execute("PRAGMA journal_mode = OFF")
            target.execute("PRAGMA synchronous = OFF")
            self._copy(target, tick)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, no WAL needed to read it
        with copy.open("rb") as file:
            while chunk := file.read(packing.CHUNK):
                yield chunk
                tick(0.7)
        copy.unlink()

    def _copy(self, target: sqlite3.Connection, tick: Tick) -> None:
        def step(_: int, remaining: int, total: int) -> None:
            tick(0.7 * (1 - remaining / max(1, total)))

        try:
            self.connection.backup(target, pages=STEP_PAGES, progress=step)
        except sqlite3.Error as error:
            if is_no_room(error):
                raise
            raise BackupFailedError(f"SQLite could not copy the database: {error}") from error


@dataclass(frozen=True, slots=True)
class Beside:
    """A restored file beside the one whose place it may take."""

    path: Path
    target: Path

    def counts(self, *, tick: Tick = ignore) -> dict[str, int]:
        """Return the number of rows of each table, after SQLite's own check of the file."""
        with _judged(self.path) as connection:
            with stoppable(connection, tick):
                verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise BackupDamagedError(f"SQLite finds the content damaged: {verdict}")
            return counts(connection, tick=tick)

    def checksums(self, *, tick: Tick = ignore) -> dict[str, str]:
        """Return each table's sum."""
        with _judged(self.path) as connection:
            return checksums(connection, tick=tick)

    def drop(self) -> None:
        """Remove it."""
        for ending in ("", *_COMPANIONS):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)

    def swap_in(self, *, kept_as: str) -> str:
        """Put it in the target's place in one step; return what the old one is called now.

        Args:
            kept_as: what is added to the old file's name.

        Raises:
            StillRunningError: another program has the old one open.
        """
        if not self.target.exists():
            self.path.rename(self.target)
            packing.sync_folder(self.target.parent)
            return ""
        aside = self.target.with_name(f"{self.target.name}.{kept_as}")
        is_whole = _fold(self.target)
        os.link(self.target, aside)
        for ending in _COMPANIONS:  # an old WAL must never be taken for the new file's
            old = Path(f"{self.target}{ending}")
            if is_whole:
                old.unlink(missing_ok=True)
            elif old.exists():
                old.rename(f"{aside}{ending}")
        self.path.replace(self.target)
        packing.sync_folder(self.target.parent)
        return str(aside)


@contextmanager
def _judged(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(connect(path, mode="ro")) as connection:
            yield connection
    except sqlite3.DatabaseError as error:
        if is_no_room(error):
            raise
        raise BackupDamagedError(f"the content is no whole SQLite database: {error}") from error


def _fold(path: Path) -> bool:
    """Bring the WAL into the file; False when the file is damaged and can't be read."""
    try:
        with contextlib.closing(connect(path)) as connection:
            is_busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise StillRunningError(f"another program has {path} open") from error
        return False
    # the last to close an SQLite database removes its WAL
    if is_busy or Path(f"{path}-wal").exists():
        raise StillRunningError(f"another program has {path} open: close it first")
    return True


@dataclass(frozen=True, slots=True)
class SqliteDatabase:
    """The SQLite database in one file."""

    path: Path
    vendor: str = "sqlite"
    kind: str = "sqlite3"

    def __str__(self) -> str:
        return str(self.path)

    def size_bytes(self) -> int:
        """Return how large the file and its WAL are."""
        found = [Path(f"{self.path}{ending}") for ending in ("", "-wal")]
        return sum(path.stat().st_size for path in found if path.exists())

    def needed_bytes(self) -> int:
        """Return the room that a backup takes while it is made: a copy, and the packed file."""
        return self.size_bytes() * 3 // 2

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Hold the database still, for the reader alone.

        Raises:
            WrongSourceError: there is no such database.
        """
        try:
            with reading(self.path) as connection:
                yield Snapshot(connection)
        except sqlite3.OperationalError as error:
            if "unable to open" not in str(error):
                raise
            raise WrongSourceError(f"there is no database at {self.path}") from error

    def count_contents(
        self, chunks: Iterable[bytes], scratch: Path, *, tick: Tick = ignore
    ) -> dict[str, int]:
        """Return how many rows of each table a backup's content holds, having opened it."""
        beside = Beside(_written(chunks, scratch / "opened.sqlite3", tick), self.path)
        try:
            return beside.counts(tick=tick)
        finally:
            beside.drop()

    @contextmanager
    def restored(
        self, chunks: Iterable[bytes], *, scratch: Path | None = None, tick: Tick = ignore
    ) -> Iterator[Beside]:
        """Write a backup's content to a file beside this one; what isn't swapped in goes again.

        Args:
            chunks: the content.
            scratch: another folder for it, where it won't be swapped in.
            tick: called at safe points.
        """
        name = f".{self.path.name}.restoring-{uuid.uuid4().hex[:8]}"
        path = scratch / name if scratch else self.path.with_name(name)
        beside = Beside(path, self.path)
        try:
            _written(chunks, path, tick)
            yield beside
        finally:
            beside.drop()

    def require_free(self) -> None:
        """Make sure that nothing would be overwritten.

        Raises:
            WrongTargetError: there is a file already.
        """
        if self.path.exists():
            raise WrongTargetError(f"{self.path} exists: name a file that doesn't")
        if not self.path.parent.is_dir():
            raise WrongTargetError(f"there is no folder {self.path.parent}")


def _written(chunks: Iterable[bytes], path: Path, tick: Tick) -> Path:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        for chunk in chunks:
            file.write(chunk)
            tick(0.0)
        file.flush()
        os.fsync(file.fileno())
    return path
