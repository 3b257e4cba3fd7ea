"""``manage.py compile_places``: the gazetteer, before anybody needs it."""

import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.failures import Transient
from analysis.gazetteer import keeping


class Command(BaseCommand):
    """Compile the gazetteer where it is not there yet; with ``--into`` into a folder to ship."""

    help = (
        "Compile the gazetteer of places now, where it is not there yet; an image does so when "
        "it is built."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--into", type=Path, metavar="FOLDER", help="copy it there, for GAZETTEER_DIR"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            file = keeping.ensure(self._tell)
        except Transient as error:
            raise CommandError(str(error)) from error
        if (into := options["into"]) is not None:
            into.mkdir(parents=True, exist_ok=True)
            file = Path(shutil.copy(file, into))
        self.stdout.write(str(file))

    def _tell(self, step: str, ratio: float) -> None:
        self.stderr.write(f"{ratio:4.0%} {step}")
