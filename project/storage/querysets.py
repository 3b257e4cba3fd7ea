"""Sets of backups and pool samples; every method narrows or orders, none writes."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

from project.storage.choices import BackupState

if TYPE_CHECKING:
    from project.storage.models import Backup, PoolSample  # noqa: F401 -- bases' parameters


class BackupQuerySet(models.QuerySet["Backup"]):
    """Sets of backups."""

    def good(self) -> Self:
        """Backups that were verified and of which nothing bad is known, newest first."""
        return self.filter(state=BackupState.GOOD).order_by("-made_at", "-pk")

    def older_than(self, moment: datetime) -> Self:
        """Backups that show a moment before ``moment``, oldest first."""
        return self.filter(made_at__lt=moment).order_by("made_at", "pk")

    def not_copied(self) -> Self:
        """Good backups that have no copy in the store, newest first."""
        return self.good().filter(copied_at__isnull=True)


class PoolSampleQuerySet(models.QuerySet["PoolSample"]):
    """Sets of pool samples."""

    def since(self, second: int) -> Self:
        """Samples of ``second`` (since 1970) and later, in order of time."""
        return self.filter(second__gte=second).order_by("second", "pk")
