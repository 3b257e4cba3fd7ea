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
            for path in _all_found(options["files"] or [SHIPPED / "*.yml"]):
                try:
                    text = path.read_text(encoding="utf-8")
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


def _all_found(asked: list[Path]) -> list[Path]:
    """Return the files; ``configs/collector/…`` also names those that ship, ``*`` several."""
    found = []
    for path in asked:
        folder = path.parent
        if folder == Path("configs/collector") and not folder.exists():
            folder = SHIPPED
        found += sorted(folder.glob(path.name)) if "*" in path.name else [folder / path.name]
    return found
