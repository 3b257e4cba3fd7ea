"""``manage.py backfill --market binance:BTC/USDT --timeframe 1m --from … --to …``."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from markets import backfilling, reading, repairing
from markets.backfilling import Wanted
from markets.choices import Origin
from markets.management import following
from project.core.callers import SYSTEM
from project.core.errors import AppError
from project.core.models import Run
from project.core.moments import to_ms


def moment(text: str) -> datetime:
    """Read a moment; without an offset it is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Command(BaseCommand):
    """Ask for a range again, here and now."""

    help = "Backfill a range of a market and wait for it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--market", required=True, help="e.g. binance:BTC/USDT")
        parser.add_argument("--timeframe", default="1m")
        parser.add_argument("--from", required=True, dest="start", type=moment)
        parser.add_argument("--to", required=True, dest="end", type=moment, help="exclusive")
        parser.add_argument("--priority", type=int, default=50, choices=range(101), metavar="0-100")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            market = reading.market_named(options["market"])
            wanted = Wanted(
                series=reading.series_of(market, options["timeframe"]),
                start_ms=to_ms(options["start"]),
                end_ms=to_ms(options["end"]),
                priority=options["priority"],
                origin=Origin.COMMAND,
            )
            task = backfilling.ask(wanted, by=SYSTEM, now=now)
        except AppError as error:
            raise CommandError(str(error)) from error
        run = Run.objects.about("markets.backfilltask", task.pk).latest("created_at")
        following.do(run, repairing.run, out=self.stdout)
        task.refresh_from_db()
        self.stdout.write(f"task {task.pk}: {task.status}, {task.candles_found:,} candles found")
        if run.status not in following.GOOD:
            raise CommandError(f"task {task.pk} is {task.status}: {task.error_message}")
