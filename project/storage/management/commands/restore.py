"""Restores a backup."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from project.core.errors import AppError
from project.storage import databases, offsite, restoring, shelf
from project.storage.progress import Told


class Command(BaseCommand):
    """``manage.py restore FILE [--into …]``."""

    help = (
        "Restores a backup into the product's own database (which is kept under another name; "
        "stop the installation first), or into a new one."
    )
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a path, or a name in DATA_DIR/backups")
        parser.add_argument(
            "--into",
            metavar="TARGET",
            help="a path or postgres://… URL of a database that doesn't exist yet",
        )
        parser.add_argument(
            "--from-s3", action="store_true", help="fetch FILE from the S3 store first"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        told = Told(self.stdout.write if options["verbosity"] else lambda _: None)
        try:
            if options["from_s3"]:
                offsite.fetch(options["file"], progress=told)
            into = databases.named(options["into"]) if options["into"] else None
            file = shelf.find(options["file"])
            restored = restoring.restore(file, progress=told, now=timezone.now(), into=into)
        except AppError as error:
            raise CommandError(f"{error.title}: {error}") from error
        moment = f"{restored.facts.made_at:%Y-%m-%d %H:%M} UTC"
        self.stdout.write(f"{restored.into} holds {restored.rows:,} rows as of {moment}.")
        if restored.kept_as:
            self.stdout.write(f"What was there is kept as {restored.kept_as}; remove it in time.")
