"""``manage.py import_places FILE --name …``: places of the user's own into the gazetteer."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.gazetteer import importing
from project.core.errors import AppError

_TOLD_AT_MOST = 10


class Command(BaseCommand):
    """Take places from a GeoNames dump, GeoJSON or CSV; list them, or take them out again."""

    help = "Import places (GeoNames dump, GeoJSON, CSV); the same name again replaces them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--name", help="of the source, e.g. geonames-tw; else the file's name")
        parser.add_argument("--format", choices=importing.FORMATS, default="")
        parser.add_argument("--forget", metavar="NAME", help="take an import out again")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["forget"]:
                importing.forget(name=options["forget"])
                self.stdout.write(f"{options['forget']} forgotten")
            elif options["file"]:
                self._load(options)
            else:
                for one in importing.listed():
                    self.stdout.write(f"{one.name}: {one.places:,} places")
        except AppError as error:
            raise CommandError(str(error)) from error

    def _load(self, options: dict[str, Any]) -> None:
        path: Path = options["file"]
        name = options["name"] or path.stem.lower()
        done = importing.load(path, name=name, form=options["format"])
        self.stdout.write(
            f"{done.name}: {done.places:,} places, {len(done.rejected):,} rows left out"
        )
        for one in done.rejected[:_TOLD_AT_MOST]:
            self.stderr.write(f"row {one.row}: {one.reason}")
