"""Proves that backups can be restored."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from project.core.errors import AppError
from project.storage import drilling
from project.storage.progress import Told


class Command(BaseCommand):
    """``manage.py backup_drill``: also while the installation runs."""

    help = "Backs up, restores into a scratch database, compares counts and every table's sum."

    def handle(self, *_: Any, **options: Any) -> None:
        told = Told(self.stdout.write if options["verbosity"] else lambda _: None)
        try:
            done = drilling.drill(progress=told, now=timezone.now())
        except AppError as error:
            raise CommandError(f"{error.title}: {error}") from error
        self.stdout.write(
            f"equal: {done.rows:,} rows of {done.tables} tables restored from {done.file} "
            f"({done.took_s:.1f} s)"
        )
