"""Making a backup: copied from one snapshot, packed, read again and counted, then put in place."""

import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from project.core import runs, version
from project.core.callers import Caller
from project.core.models import Run
from project.storage import databases, keeping, kinds, offsite, packing, shelf, verifying
from project.storage.databases import Database
from project.storage.errors import BackupDamagedError, BackupFailedError, NoRoomError, room_told
from project.storage.models import Backup
from project.storage.progress import Progress, within

_MB: Final = 1 << 20
#: Kept free beside what a backup needs, so that the product itself can go on writing.
SPARE_BYTES: Final = 16 * _MB


def ask(*, by: Caller, now: datetime) -> Run:
    """Ask for a backup in the background.

    Raises:
        AlreadyRunningError: one is at work; ``run_id`` names it.
    """
    ask = runs.Ask(kind=kinds.BACKUP.name, subject="database")
    return runs.submit(ask, by=by, now=now)


def ask_to_verify(backup: Backup, *, by: Caller, now: datetime) -> Run:
    """Ask for a backup to be verified in the background.

    Raises:
        AlreadyRunningError: that is being done; ``run_id`` names it.
    """
    ask = runs.Ask(
        kind=kinds.VERIFY.name,
        subject=backup.file,
        about=("storage.backup", backup.pk),
        payload={"backup_id": backup.pk},
        exclusive_key=f"verify:{backup.pk}",
    )
    return runs.submit(ask, by=by, now=now)


def back_up(*, progress: Progress, now: datetime, run: Run | None = None) -> Backup:
    """Make a backup of the product's database, copy it to the store, drop those too old.

    Args:
        progress: whom to tell; what it raises stops the work, and nothing half stays.
        now: the moment of asking, UTC.
        run: the run that does it, where one does.

    Raises:
        BackupBusyError: another process is at it.
        NoRoomError: the disk has no room.
        BackupFailedError: the copy is not what the database was.
    """
    with shelf.locked():
        keeping.adopt(now=now)
        made = make(progress=progress, now=now)
        backup = keeping.record(made.facts, verified_at=now)
        if run is not None:
            Backup.objects.filter(pk=backup.pk).update(run=run)
        offsite.copy_missing(progress=progress, now=now)
        gone = keeping.prune(now=now)
    progress.report(counts={**_told(made.facts), "removed": len(gone)})
    backup.refresh_from_db()
    return backup


def _told(facts: shelf.Facts) -> dict[str, Any]:
    return {
        "tables": len(facts.counts),
        "rows": sum(facts.counts.values()),
        "bytes": facts.size_bytes,
    }


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that lies in its place."""

    facts: shelf.Facts
    path: Path


def make(*, progress: Progress, now: datetime, with_checksums: bool = False) -> Made:
    """Write one backup file; the caller has the folder's lock.

    Args:
        progress: whom to tell; it gets to 95 %.
        now: the moment of asking, UTC.
        with_checksums: also sum every table of the snapshot, for a drill.

    Raises:
        NoRoomError: the disk has no room.
        BackupFailedError: the copy is not what the database was.
    """
    database = databases.own()
    require_room(database)
    began_s = time.perf_counter()
    name = shelf.name_of(database=database.vendor, made_at=now, kind=database.kind)
    with room_told(shelf.folder()), shelf.draft() as scratch:
        draft = scratch / name
        with database.snapshot() as snapshot:
            tick = within(progress, phase="counting", start=0, end=5)
            counts = snapshot.counts(tick=tick)
            checksums = snapshot.checksums(tick=tick) if with_checksums else {}
            tick = within(progress, phase="copying", start=5, end=60)
            packed = packing.pack(snapshot.chunks(scratch, tick=tick), draft)
        facts = shelf.Facts(
            file=name,
            database=database.vendor,
            made_at=now,
            size_bytes=packed.size_bytes,
            content_bytes=packed.content_bytes,
            sha256=packed.sha256,
            took_s=0.0,
            version=version.label(),
            counts=counts,
            checksums=checksums,
        )
        _verify(draft, facts, progress)
        facts = replace(facts, took_s=round(time.perf_counter() - began_s, 3))
        return Made(facts, shelf.place(draft, facts))


def _verify(draft: Path, facts: shelf.Facts, progress: Progress) -> None:
    """Read what lies on the disk, not what was meant to be written."""
    tick = within(progress, phase="verifying", start=60, end=95)
    if packing.digest(draft, tick=lambda done: tick(done / 4)) != facts.sha256:
        raise BackupFailedError("other bytes were read from the disk than were written")
    try:
        found = verifying.of_contents(
            draft, facts.database, draft.parent, tick=lambda done: tick(0.25 + done * 0.75)
        )
        verifying.require_counts(facts.counts, found)
    except BackupDamagedError as error:
        raise BackupFailedError(f"the new backup is no good: {error}") from error


def require_room(database: Database) -> None:
    """Make sure that a backup fits before anything is written.

    Raises:
        NoRoomError: it would not.
    """
    needed, free = database.needed_bytes() + SPARE_BYTES, shelf.room_bytes()
    if free < needed:
        raise NoRoomError(
            f"{free // _MB:,} MB are free in {shelf.folder()}, and a backup needs "
            f"{needed // _MB:,} MB: make room, or move DATA_DIR to a larger disk"
        )
