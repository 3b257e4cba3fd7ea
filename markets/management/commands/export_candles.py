"""``manage.py export_candles --market … --timeframe … [--from …] [--to …] [FILE]``: CSV."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from markets import reading
from markets.management.commands.backfill import moment
from markets.reading import Reader, Window
from project.core.errors import AppError
from project.core.moments import to_ms


class Command(BaseCommand):
    """Write candles as CSV, to a file or to the standard output."""

    help = "Write the candles of a market as CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--market", required=True, help="e.g. binance:BTC/USDT")
        parser.add_argument("--timeframe", required=True)
        parser.add_argument("--from", dest="start", type=moment)
        parser.add_argument("--to", dest="end", type=moment, help="exclusive")

    def handle(self, *args: Any, **options: Any) -> None:
        start, end = options["start"], options["end"]
        window = Window(to_ms(start) if start else None, to_ms(end) if end else None)
        try:
            market = reading.market_named(options["market"])
            reader = Reader(reading.series_of(market, options["timeframe"]), window)
        except AppError as error:
            raise CommandError(str(error)) from error
        if options["file"] is None:
            _write(reader, self.stdout.write)
            return
        with options["file"].open("w", encoding="utf-8") as file:
            count = _write(reader, lambda text, ending="\n": file.write(text + ending))
        self.stdout.write(f"{count:,} candles written to {options['file']}")


def _write(reader: Reader, write: Any) -> int:
    count = 0
    write(reading.CSV_HEADING, ending="\n")
    while told := reader.read():
        write(reading.as_csv(told).decode(), ending="")
        count += len(told)
    return count
