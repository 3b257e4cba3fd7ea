"""Whether a backup is what it says: its bytes by SHA-256, its rows by opening and counting."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from project.storage import packing, shelf
from project.storage.adapters.postgres import PostgresDatabase
from project.storage.adapters.sqlite import SqliteDatabase
from project.storage.choices import BackupState, DatabaseKind
from project.storage.errors import BackupDamagedError, room_told
from project.storage.models import Backup
from project.storage.progress import Latest, Progress, Tick, ignore, within


def verify(backup: Backup, *, progress: Progress, now: datetime) -> None:
    """Read a backup's file again, open it, count it, and remember what was found.

    Raises:
        BackupDamagedError: it is not what it was; the row says so, too.
        NoRoomError: there is no room to unpack it.
    """
    rows = Backup.objects.filter(pk=backup.pk)
    try:
        require_good(shelf.path_of(backup.file), progress=progress)
    except BackupDamagedError as error:
        rows.update(state=BackupState.BAD, problem=str(error))
        raise
    rows.update(state=BackupState.GOOD, problem="", verified_at=now)


def require_good(file: Path, *, progress: Progress) -> shelf.Facts:
    """Return the facts of ``file`` when its bytes and its rows are what they say.

    Raises:
        BackupDamagedError: they are not.
        NoRoomError: there is no room to unpack it.
    """
    if not file.exists():
        raise BackupDamagedError(f"{file.name} is not in {file.parent}")
    facts = shelf.checked(file, tick=within(progress, phase="reading", start=0, end=30))
    tick = within(progress, phase="counting", start=30, end=95)
    with room_told(shelf.folder()), shelf.draft() as scratch:
        require_counts(facts.counts, of_contents(file, facts.database, scratch, tick=tick))
    return facts


def of_contents(file: Path, database: str, scratch: Path, *, tick: Tick = ignore) -> dict[str, int]:
    """Return the rows of each table that a packed file really holds.

    Raises:
        BackupDamagedError: it can't be unpacked or opened.
    """
    latest = Latest(tick)
    chunks = packing.unpack(file, tick=latest.note)
    if database == DatabaseKind.SQLITE:
        return SqliteDatabase(file).count_contents(chunks, scratch, tick=latest.tell)
    return PostgresDatabase("").count_contents(chunks, scratch, tick=latest.tell)


def require_counts(expected: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Compare rows per table.

    Raises:
        BackupDamagedError: they differ; the text names the tables.
    """
    require_equal(expected, found, what="rows")


def require_equal(
    expected: Mapping[str, object], found: Mapping[str, object], *, what: str
) -> None:
    """Compare two values per table.

    Raises:
        BackupDamagedError: they differ; the text names up to five tables.
    """
    if dict(expected) == dict(found):
        return
    wrong = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    told = ", ".join(f"{name} {expected.get(name)} → {found.get(name)}" for name in wrong[:5])
    raise BackupDamagedError(f"{what} of {len(wrong)} table(s) differ: {told}")
