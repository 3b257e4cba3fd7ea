"""``manage.py import_candles FILE --market … --timeframe …``: candles from a CSV file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from markets import configuring, importing, timeframes
from markets.models import Market, Series
from project.core.errors import AppError


class Command(BaseCommand):
    """Store the candles of a file; taking it again changes nothing."""

    help = "Store the candles of a CSV file with a heading, columns in any order."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--market", required=True, help="e.g. binance:BTC/USDT; made if new")
        parser.add_argument("--timeframe", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"]
        try:
            series = _series(options["market"], options["timeframe"])
            with path.open(encoding="utf-8-sig", newline="") as lines:
                done = importing.load_csv(lines, series=series, now=timezone.now(), name=str(path))
        except (AppError, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{series}: {done.offered:,} candles read, {done.inserted:,} new, "
            f"{done.updated:,} changed"
        )


def _series(name: str, timeframe: str) -> Series:
    timeframes.of(timeframe)
    exchange, _, symbol = name.partition(":")
    base, _, quote = symbol.partition("/")
    if not exchange or not quote:
        raise CommandError(f"{name!r} is no market; write e.g. binance:BTC/USDT")
    market, _ = Market.objects.get_or_create(
        exchange=configuring.exchange_of(exchange),
        symbol=symbol,
        defaults={"base": base, "quote": quote},
    )
    return Series.objects.get_or_create(market=market, timeframe=timeframe)[0]
