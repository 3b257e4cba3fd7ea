"""``manage.py import_candles FILE… --market … --timeframe …``: candles out of other tools' files."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from markets import importing, timeframes
from markets.adapters.files import opening
from markets.importing import Survey
from project.core.errors import AppError
from project.core.moments import from_ms


class Command(BaseCommand):
    """Store the candles of files; taking them again changes nothing."""

    help = (
        "Store the candles of files: freqtrade's feather and json(.gz), CSV (any columns, with or"
        " without a heading), Parquet, Arrow, Binance's archives. A FILE.CHECKSUM beside one is"
        " verified. Lines that can't be candles are left out and told."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
        parser.add_argument("--market", required=True, help="e.g. binance:BTC/USDT; made if new")
        parser.add_argument("--timeframe", help="where the file's name doesn't tell it: 1m")
        parser.add_argument("--dry-run", action="store_true", help="store nothing, tell what would")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for path in options["files"]:
                self._take(path, options)
        except (AppError, OSError) as error:
            raise CommandError(str(error)) from error

    def _take(self, path: Path, options: dict[str, Any]) -> None:
        timeframe = options["timeframe"] or opening.named(path.name).timeframe
        if not timeframe:
            raise CommandError(f"{path}: its name tells no timeframe; add --timeframe")
        beside = path.with_name(f"{path.name}.CHECKSUM")
        told = beside.read_text(errors="replace") if beside.is_file() else ""
        series = importing.series_for(options["market"], timeframe)
        facts: dict[str, Any] = {"now": timezone.now(), "name": str(path), "told": told}
        if options["dry_run"]:
            self._tell(f"{series} (dry run)", importing.survey(path, series, **facts), timeframe)
        else:
            self._tell(str(series), importing.load(path, series=series, **facts)[1], timeframe)

    def _tell(self, title: str, found: Survey, timeframe: str) -> None:
        good = found.new + found.same + found.changed
        self.stdout.write(
            f"{title}: {good:,} candles read, {found.new:,} new, {found.changed:,} changed"
        )
        grid = timeframes.of(timeframe)
        if found.first_ms is not None and found.last_ms is not None:
            first, last = from_ms(found.first_ms), from_ms(found.last_ms)
            self.stdout.write(
                f"  {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC, {found.form},"
                f" checksum {found.checksum}, {found.missing(grid):,} missing in between"
            )
        if found.is_another_market:
            self.stdout.write("  all that are stored differ by a tenth or more: another market's?")
        for kind, count in found.left_out.items():
            self.stdout.write(f"  left out: {count:,} {kind}")
        for line, why in found.examples:
            self.stdout.write(f"    line {line}: {why}")
