"""Moves the installation from SQLite to PostgreSQL."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from project.core.errors import AppError
from project.storage import moving
from project.storage.progress import Told


class Command(BaseCommand):
    """``manage.py move_database --to postgres://…``; stop the installation first."""

    help = "Copies everything from SQLite to an empty PostgreSQL database and compares both."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", required=True, metavar="URL", help="postgres://…")
        parser.add_argument(
            "--restart", action="store_true", help="start over what an earlier attempt copied"
        )
        parser.add_argument(
            "--leave-out", action="append", default=[], metavar="TABLE", help="not copied"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        told = Told(self.stdout.write if options["verbosity"] else lambda _: None)
        wish = moving.Wish(options["to"], options["restart"], tuple(options["leave_out"]))
        try:
            moved = moving.move(wish, progress=told, now=timezone.now())
        except AppError as error:
            raise CommandError(f"{error.title}: {error}") from error
        self.stdout.write(
            f"equal: {moved.rows:,} rows of {moved.tables} tables (prepared in "
            f"{moved.prepare_s:.1f} s, copied in {moved.copy_s:.1f} s, compared in "
            f"{moved.compare_s:.1f} s; {moved.resumed_rows:,} rows by an earlier attempt)"
        )
        self.stdout.write("Set DATABASE_URL and start again. The SQLite file is as it was.")
