"""Copying backups to an S3-compatible store, where one is configured."""

from datetime import datetime

from django.conf import settings

from project.core.errors import AppError
from project.storage import shelf
from project.storage.adapters.s3 import Store
from project.storage.errors import WrongSourceError
from project.storage.models import Backup
from project.storage.progress import Progress, within


def store() -> Store | None:
    """Return the store that settings name, or None without one."""
    if not settings.S3_BUCKET:
        return None
    return Store(
        bucket=settings.S3_BUCKET,
        endpoint=settings.S3_ENDPOINT,
        access_key=settings.S3_ACCESS_KEY,
        secret_key=settings.S3_SECRET_KEY,
        region=settings.S3_REGION,
        prefix=settings.S3_PREFIX,
    )


def copy_missing(*, progress: Progress, now: datetime) -> int:
    """Copy every good backup that isn't there yet, newest first; does nothing without a store.

    A store that is away fails no backup: the row says why, and the next run tries again.

    Returns:
        How many were copied.
    """
    found = store()
    if found is None:
        return 0
    copied = 0
    for backup in Backup.objects.not_copied():
        if not shelf.path_of(backup.file).exists():
            continue
        row = Backup.objects.filter(pk=backup.pk)
        try:
            _copy(backup, found, progress)
        except AppError as error:
            row.update(copy_error=str(error))
            progress.leave_partial(f"{backup.file} was not copied to the S3 store: {error}")
            break
        row.update(copied_at=now, copy_error="")
        copied += 1
    return copied


def _copy(backup: Backup, to: Store, progress: Progress) -> None:
    """Put what stands beside the file first: with the file there, all is there."""
    file, *beside = shelf.parts_of(backup.file)
    for part in beside:
        to.put(part)
    tick = within(progress, phase="copying to the S3 store", start=95, end=99)
    to.put(file, sha256=backup.sha256, tick=tick)


def delete(backup: Backup) -> None:
    """Delete a backup's copy, if there is one.

    Raises:
        TransientError: the store is away.
        PermanentError: it refuses.
    """
    found = store()
    if found is None or backup.copied_at is None:
        return
    for ending in ("", shelf.SHA256, shelf.FACTS):
        found.delete(f"{backup.file}{ending}")


def fetch(name: str, *, progress: Progress) -> None:
    """Bring a backup from the store into the folder, with what stands beside it.

    Raises:
        WrongSourceError: no store is configured.
        TransientError: it is away.
        PermanentError: it has no such file, or refuses.
    """
    found = store()
    if found is None:
        raise WrongSourceError("no S3 store is configured: set S3_BUCKET")
    tick = within(progress, phase="fetching from the S3 store", start=0, end=10)
    with shelf.draft() as scratch:
        for ending in ("", shelf.SHA256, shelf.FACTS):
            found.get(f"{name}{ending}", scratch / f"{name}{ending}", tick=tick)
        for ending in (shelf.SHA256, shelf.FACTS, ""):
            (scratch / f"{name}{ending}").rename(shelf.path_of(f"{name}{ending}"))
