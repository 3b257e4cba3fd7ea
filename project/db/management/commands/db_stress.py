"""Presses the database with a mixed load and says whether it keeps its promises."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from project.db.stress import plans, reporting, running


class Command(BaseCommand):
    """``manage.py db_stress``: exit status 0 when every target is met, else 1."""

    help = "Press the database with a mixed load on scratch tables; exit 0 if it meets its targets."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workers", type=int, default=25, help="threads over all processes")
        parser.add_argument("--seconds", type=float, default=30.0, help="for each contender")
        parser.add_argument("--processes", type=int, default=2)
        parser.add_argument("--write-share", type=float, default=0.2, help="0 to 1")
        parser.add_argument("--database", default="default", help="alias in DATABASES")
        parser.add_argument("--report", type=Path, help="write the report as JSON to this file")
        parser.add_argument(
            "--baseline", action="store_true", help="run stock Django and raw sqlite3 in turn too"
        )
        parser.add_argument("--level", choices=[plans.ORM, plans.SQL], default=plans.ORM)
        parser.add_argument("--rounds", type=int, help="turns each takes; 3 with --baseline")

    def handle(self, *_: Any, **options: Any) -> None:
        load = _load(options)
        alias = options["database"]
        if alias not in settings.DATABASES:
            raise CommandError(f"there is no database {alias!r}")
        rounds = options["rounds"] or (3 if options["baseline"] else 1)
        try:
            outcomes = running.run(
                connections[alias].settings_dict,
                load=load,
                with_baseline=options["baseline"],
                rounds=rounds,
            )
        except running.StressFailedError as error:
            raise CommandError(str(error)) from error
        report = reporting.to_dict(load, outcomes, alias=alias)
        if options["report"]:
            options["report"].write_text(json.dumps(report, indent=1), encoding="utf-8")
        self.stdout.write(reporting.to_text(load, outcomes, alias=alias))
        if not report["is_passed"]:
            raise SystemExit(1)


def _load(options: dict[str, Any]) -> plans.Load:
    """Return the load that was asked for, if it makes sense."""
    if not 1 <= options["processes"] <= options["workers"]:
        raise CommandError("--processes is at least 1 and at most --workers")
    if not 0 <= options["write_share"] <= 1:
        raise CommandError("--write-share is between 0 and 1")
    if options["seconds"] <= 0:
        raise CommandError("--seconds is more than 0")
    return plans.Load(
        workers=options["workers"],
        processes=options["processes"],
        seconds=options["seconds"],
        write_share=options["write_share"],
        level=options["level"],
    )
