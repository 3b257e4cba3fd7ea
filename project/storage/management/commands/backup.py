"""Backs the database up now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from project.core.errors import AppError
from project.storage import backing_up
from project.storage.progress import Told


class Command(BaseCommand):
    """``manage.py backup``: also while the installation runs."""

    help = "Backs the database up into DATA_DIR/backups, verifies it, drops those over 30 days."

    def handle(self, *_: Any, **options: Any) -> None:
        told = Told(self.stdout.write if options["verbosity"] else lambda _: None)
        try:
            made = backing_up.back_up(progress=told, now=timezone.now())
        except AppError as error:
            raise CommandError(f"{error.title}: {error}") from error
        self.stdout.write(
            f"{made.file}: {made.size_bytes:,} bytes, {made.rows:,} rows of "
            f"{len(made.counts)} tables, verified ({made.took_s:.1f} s)"
        )
