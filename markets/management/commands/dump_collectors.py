"""``manage.py dump_collectors [NAME…] [--to FOLDER]``: collectors as files."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from markets import configuring
from markets.models import CollectorConfig


class Command(BaseCommand):
    """Print collectors as YAML, or write one file each."""

    help = "Print collectors as files; with --to, write them into a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME")
        parser.add_argument("--to", type=Path, metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = CollectorConfig.objects.select_related("exchange").order_by("name")
        found = {row.name: row for row in rows}
        names = options["names"] or list(found)
        if unknown := [name for name in names if name not in found]:
            raise CommandError(f"no collector {', '.join(unknown)}")
        texts = {name: configuring.dump(found[name]) for name in names}
        if options["to"] is None:
            self.stdout.write("---\n".join(texts.values()), ending="")
            return
        options["to"].mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (options["to"] / f"{name}.yml").write_text(text, encoding="utf-8")
            self.stdout.write(str(options["to"] / f"{name}.yml"))
