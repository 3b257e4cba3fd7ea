"""``manage.py export_candles --market … --timeframe … [--from …] [--to …] [FILE]``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from markets import reading, writing
from markets.management.commands.backfill import moment
from markets.reading import Reader, Window
from project.core.errors import AppError
from project.core.moments import to_ms


class Command(BaseCommand):
    """Write candles to a file, or as CSV to the standard output."""

    help = "Write the candles of a market; the file's ending says in which form: " + ", ".join(
        writing.ENDINGS
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--market", required=True, help="e.g. binance:BTC/USDT")
        parser.add_argument("--timeframe", required=True)
        parser.add_argument("--from", dest="start", type=moment)
        parser.add_argument("--to", dest="end", type=moment, help="exclusive")

    def handle(self, *args: Any, **options: Any) -> None:
        start, end, path = options["start"], options["end"], options["file"]
        window = Window(to_ms(start) if start else None, to_ms(end) if end else None)
        try:
            market = reading.market_named(options["market"])
            candles = reading.candles_of(market, options["timeframe"])
            form = writing.form_of(path.name if path else "x.csv", is_made=bool(candles.source))
            pieces = writing.pieces(reader := Reader(candles, window), form)
            if path is None:
                for piece in pieces:
                    self.stdout.write(piece.decode(), ending="")
                return
            _write(path, pieces)
        except (AppError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{reader.count:,} candles written to {path}")


def _write(path: Path, pieces: Iterator[bytes]) -> None:
    """Write a file that is there whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
