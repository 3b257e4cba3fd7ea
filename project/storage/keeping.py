"""Which backups are kept: those of thirty days, and always the last good one."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from project.core.errors import AppError
from project.storage import offsite, shelf
from project.storage.choices import BackupState
from project.storage.errors import BackupDamagedError
from project.storage.models import Backup

logger = logging.getLogger(__name__)
KEPT_FOR: Final = timedelta(days=30)


def adopt(*, now: datetime) -> int:
    """Make rows of files that have none, as after a restore, and mark rows without their file.

    Returns:
        How many files were new to the database.
    """
    here = {facts.file: facts for facts in shelf.all_facts()}
    known = set(Backup.objects.values_list("file", flat=True))
    new = [facts for name, facts in here.items() if name not in known]
    for facts in new:
        record(facts, verified_at=facts.made_at)
    rows = Backup.objects.filter(state=BackupState.GOOD)
    lost = [pk for pk, name in rows.values_list("pk", "file") if name not in here]
    problem = f"not in the folder on {now:%Y-%m-%d %H:%M} UTC"
    Backup.objects.filter(pk__in=lost).update(state=BackupState.GONE, problem=problem)
    back = Backup.objects.filter(state=BackupState.GONE, file__in=here)
    back.update(state=BackupState.GOOD, problem="")
    return len(new)


def record(facts: shelf.Facts, *, verified_at: datetime) -> Backup:
    """Write down a backup whose file is in its place."""
    return Backup.objects.create(
        file=facts.file,
        database=facts.database,
        made_at=facts.made_at,
        size_bytes=facts.size_bytes,
        content_bytes=facts.content_bytes,
        sha256=facts.sha256,
        counts=dict(facts.counts),
        took_s=facts.took_s,
        verified_at=verified_at,
    )


def last_good() -> Backup | None:
    """Return the newest backup whose file is here with the bytes that were written.

    A file that turns out bad is marked so, and the next one is looked at.
    """
    found: Iterable[Backup] = Backup.objects.good()
    for backup in found:
        try:
            shelf.checked(shelf.path_of(backup.file))
        except (BackupDamagedError, OSError) as error:
            rows = Backup.objects.filter(pk=backup.pk)
            rows.update(state=BackupState.BAD, problem=str(error))
            continue
        return backup
    return None


def prune(*, now: datetime) -> list[str]:
    """Remove the backups that are older than ``KEPT_FOR``, never the last good one.

    Returns:
        The names of the files that went.
    """
    old = list(Backup.objects.older_than(now - KEPT_FOR))
    if not old:
        return []
    kept = last_good()
    if kept is None:  # then even a bad one may be better than nothing
        return []
    return [backup.file for backup in old if backup.pk != kept.pk and _remove(backup)]


def _remove(backup: Backup) -> bool:
    try:
        offsite.delete(backup)
    except AppError as error:  # its row stays, so that the copy is found and deleted later
        logger.warning("copy not deleted", extra={"file": backup.file, "why": str(error)})
        return False
    shelf.remove(backup.file)
    Backup.objects.filter(pk=backup.pk).delete()
    return True
