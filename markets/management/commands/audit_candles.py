"""``manage.py audit_candles [--market …] [--timeframe …]``: what is stored beside what is told."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from markets import auditing, reading
from markets.management import following
from project.core.callers import SYSTEM
from project.core.errors import AppError
from project.core.models import Run
from project.core.runs import AlreadyRunningError


class Command(BaseCommand):
    """Compare a sample of stored candles with the exchange and wait for it."""

    help = "Compare a sample of stored candles with the exchange, some with its trades."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--market", help="e.g. binance:BTC/USDT; all that are enabled without")
        parser.add_argument("--timeframe", default="")
        parser.add_argument("--windows", type=int, default=auditing.WINDOWS, help="of each series")

    def handle(self, *args: Any, **options: Any) -> None:
        name, timeframe = options["market"], options["timeframe"]
        facts: dict[str, Any] = {"timeframe": timeframe, "windows": max(1, options["windows"])}
        try:
            market = reading.market_named(name) if name else None
            reading.require_timeframe(market, timeframe)
            run = auditing.ask(market, by=SYSTEM, now=timezone.now(), **facts)
        except AlreadyRunningError as busy:
            run = Run.objects.get(pk=busy.extra["run_id"])
        except AppError as error:
            raise CommandError(str(error)) from error
        following.do(run, auditing.run, out=self.stdout)
        if run.status not in following.GOOD:
            raise CommandError(run.error_message)
        if run.counts.get("differences"):
            self.stdout.write("The differences are in the admin, under Audit differences.")
