"""Restoring a backup: checked, restored beside, compared, and only then put in the place."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import DatabaseError

from project.storage import databases, guarding, keeping, packing, shelf, verifying
from project.storage.databases import Database
from project.storage.errors import BackupBusyError, WrongTargetError, room_told
from project.storage.progress import Latest, Progress, within


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore.

    Attributes:
        into: the database that now holds the backup.
        kept_as: what the one that was there before is called now; empty where there was none.
        rows: how many rows of all tables it holds.
    """

    facts: shelf.Facts
    into: str
    kept_as: str
    rows: int


def restore(
    file: Path, *, progress: Progress, now: datetime, into: Database | None = None
) -> Restored:
    """Restore ``file`` into the product's own database, or a new one.

    Args:
        file: a backup, with what stands beside it.
        progress: whom to tell.
        now: the moment, UTC.
        into: a database that does not exist yet; None: the product's own, whose present
            content is kept under another name.

    Raises:
        BackupDamagedError: the file is truncated, altered or not what its facts say.
        StillRunningError: the installation runs on that database.
        WrongTargetError: the target exists, or is of another kind than the backup.
        NoRoomError: the disk has no room; the database is as it was.
    """
    target = into or databases.own()
    facts = shelf.checked(file, tick=within(progress, phase="reading", start=0, end=20))
    if facts.database != target.vendor:
        raise WrongTargetError(
            f"a backup of {facts.database} can't be restored into {target.vendor}; "
            "restore it as what it is, then use `manage.py move_database`"
        )
    if into is not None and not databases.is_own(into):
        into.require_free()
        return _put(file, facts, target, progress, now)
    with guarding.standing_still(about="restore", now=now):
        databases.let_go()
        restored = _put(file, facts, target, progress, now)
        _adopt(now)
    return restored


def _put(
    file: Path, facts: shelf.Facts, target: Database, progress: Progress, now: datetime
) -> Restored:
    latest = Latest(within(progress, phase="restoring beside", start=20, end=70))
    chunks = packing.unpack(file, tick=latest.note)
    with room_told(target), target.restored(chunks, tick=latest.tell) as beside:
        tick = within(progress, phase="counting", start=70, end=95)
        counts = beside.counts(tick=tick)
        verifying.require_counts(facts.counts, counts)
        progress.report(phase="putting it in place", progress=95)
        kept_as = beside.swap_in(kept_as=f"before_{now:%Y%m%d_%H%M%S}")
    return Restored(facts, str(target), kept_as, sum(counts.values()))


def _adopt(now: datetime) -> None:
    """Let the restored database know of the backups made since; an older one learns it later."""
    try:
        with shelf.locked():
            keeping.adopt(now=now)
    except (DatabaseError, BackupBusyError):  # an older version, or a backup: told later
        return
    finally:
        databases.let_go()
