"""``manage.py check_quality [--market …] [--timeframe …]``: finds gaps and has them repaired."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from markets import quality, reading
from markets.models import Gap, Series
from project.core.errors import AppError
from project.core.moments import from_ms


class Command(BaseCommand):
    """Check one market, or all that are enabled, here and now."""

    help = "Find gaps, write them down, and make backfill tasks for them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--market", help="e.g. binance:BTC/USDT; all enabled where left out")
        parser.add_argument("--timeframe")
        parser.add_argument("--no-repair", action="store_true", help="make no backfill tasks")
        parser.add_argument("--list", action="store_true", help="print each gap")

    def handle(self, *args: Any, **options: Any) -> None:
        found = Series.objects.all()
        try:
            name = options["market"]
            market = reading.market_named(name) if name else None
            reading.require_timeframe(market, options["timeframe"])
            found = found.filter(market=market) if market else found.enabled()
            if options["timeframe"]:
                found = found.filter(timeframe=options["timeframe"])
            done = quality.check(found, now=timezone.now(), repair=not options["no_repair"])
        except AppError as error:
            raise CommandError(str(error)) from error
        if options["list"]:
            self._list(found)
        self.stdout.write(
            f"{done.series} series checked: {done.missing:,} gaps, {done.opened:,} of them new; "
            f"{done.closed:,} closed; {done.tasks:,} backfill tasks made"
        )

    def _list(self, found: Any) -> None:
        gaps = Gap.objects.filter(series__in=found).missing()
        for gap in gaps.select_related("series__market__exchange").order_by("series", "start_ms"):
            start, end = from_ms(gap.start_ms), from_ms(gap.end_ms)
            self.stdout.write(
                f"{gap.series} {start:%Y-%m-%dT%H:%MZ} {end:%Y-%m-%dT%H:%MZ} "
                f"{gap.missing:,} missing, {gap.reason}, {gap.state}"
            )
