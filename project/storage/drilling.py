"""The drill: back up, restore into a scratch database, compare counts and every table's sum."""

import time
from dataclasses import dataclass
from datetime import datetime

from project.core import runs
from project.core.callers import Caller
from project.core.models import Run
from project.storage import backing_up, databases, keeping, kinds, packing, shelf, verifying
from project.storage.errors import BackupDamagedError, BackupFailedError, room_told
from project.storage.models import Backup
from project.storage.progress import Latest, Progress, within


@dataclass(frozen=True, slots=True)
class Drilled:
    """What a drill compared, all of it equal."""

    file: str
    tables: int
    rows: int
    took_s: float


def ask(*, by: Caller, now: datetime) -> Run:
    """Ask for a drill in the background.

    Raises:
        AlreadyRunningError: one is at work; ``run_id`` names it.
    """
    return runs.submit(runs.Ask(kind=kinds.DRILL.name, subject="database"), by=by, now=now)


def drill(*, progress: Progress, now: datetime) -> Drilled:
    """Prove that a backup can be restored: make one, restore it elsewhere, compare everything.

    Raises:
        BackupBusyError: another process works on the backups.
        BackupFailedError: what was restored is not what was backed up.
        NoRoomError: the disk has no room.
    """
    began_s = time.perf_counter()
    with shelf.locked():
        keeping.adopt(now=now)
        made = backing_up.make(progress=progress, now=now, with_checksums=True)
        backup = keeping.record(made.facts, verified_at=now)
        _compare(made, progress)
        Backup.objects.filter(pk=backup.pk).update(drilled_at=now)
    facts = made.facts
    progress.report(counts={"tables": len(facts.counts), "rows": sum(facts.counts.values())})
    return Drilled(
        file=facts.file,
        tables=len(facts.counts),
        rows=sum(facts.counts.values()),
        took_s=time.perf_counter() - began_s,
    )


def _compare(made: backing_up.Made, progress: Progress) -> None:
    database, facts = databases.own(), made.facts
    latest = Latest(within(progress, phase="restoring into a scratch database", start=95, end=97))
    with room_told(shelf.folder()), shelf.draft() as scratch:
        chunks = packing.unpack(made.path, tick=latest.note)
        with database.restored(chunks, scratch=scratch, tick=latest.tell) as beside:
            tick = within(progress, phase="comparing", start=97, end=99)
            try:
                verifying.require_counts(facts.counts, beside.counts(tick=tick))
                sums = beside.checksums(tick=tick)
                verifying.require_equal(facts.checksums, sums, what="checksums")
            except BackupDamagedError as error:
                raise BackupFailedError(f"the drill failed: {error}") from error
