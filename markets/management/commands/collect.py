"""``manage.py collect [NAME…]``: runs collectors by hand, with a progress bar."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from markets import collecting
from markets.management import following
from markets.models import CollectorConfig
from project.core.callers import SYSTEM
from project.core.errors import AppError
from project.core.models import Run
from project.core.runs import AlreadyRunningError


class Command(BaseCommand):
    """Run collectors here and now; works beside a running installation."""

    help = "Run the named collectors, or all that are enabled, and wait for them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="of a collector")

    def handle(self, *args: Any, **options: Any) -> None:
        ended = [self._run(collector) for collector in self._chosen(options["names"])]
        bad = [run for run in ended if run.status not in following.GOOD]
        if bad:
            raise CommandError(f"{len(bad)} of {len(ended)} collectors did not do all")

    def _chosen(self, names: list[str]) -> list[CollectorConfig]:
        found = CollectorConfig.objects.all()
        if not names:
            chosen = list(found.enabled())
            if not chosen:
                raise CommandError("no collector is enabled; see load_collectors")
            return chosen
        known = {collector.name: collector for collector in found}
        if unknown := [name for name in names if name not in known]:
            there = ", ".join(sorted(known)) or "none"
            raise CommandError(f"no collector {', '.join(unknown)}; there are: {there}")
        return [known[name] for name in names]

    def _run(self, collector: CollectorConfig) -> Run:
        try:
            run = collecting.ask(collector, by=SYSTEM, now=timezone.now())
        except AlreadyRunningError as busy:
            run = Run.objects.get(pk=busy.extra["run_id"])
        except AppError as error:
            raise CommandError(str(error)) from error
        return following.do(run, collecting.run, out=self.stdout)
