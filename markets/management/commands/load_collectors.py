"""``manage.py load_collectors FILE…``: takes collector files, all of them or none."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from markets import configuring
from project.core.errors import AppError

SHIPPED = Path(__file__).resolve().parents[2] / "configs" / "collector"


class Command(BaseCommand):
    """Make collectors of files, or bring them up to date."""

    help = "Take collector files; without any, those that ship with the product."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        problems = []
        with transaction.atomic():
            for path in options["files"] or sorted(SHIPPED.glob("*.yml")):
                try:
                    text = _found(path).read_text(encoding="utf-8")
                    done = configuring.load(text, name=str(path))
                except (AppError, OSError, UnicodeDecodeError) as error:
                    problems.append(str(error) if str(path) in str(error) else f"{path}: {error}")
                    continue
                word = "made" if done.created else "changed" if done.changed else "unchanged"
                self.stdout.write(f"{done.collector.name}: {word}")
            if problems:
                transaction.set_rollback(True)
        if problems:
            raise CommandError("nothing was taken:\n" + "\n".join(problems))


def _found(path: Path) -> Path:
    """Return the file; ``configs/collector/x.yml`` also names one that ships."""
    shipped = SHIPPED / path.name
    if not path.exists() and path.parts[:-1] == ("configs", "collector") and shipped.exists():
        return shipped
    return path
