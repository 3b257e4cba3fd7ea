"""Runs work of the app in the test's own thread, against a sandbox world."""

from typing import Any

from django.utils import timezone

from markets import (
    auditing,
    collecting,
    discovering,
    importing,
    partitions,
    quality,
    repairing,
    tidying,
)
from markets.models import BackfillTask, CollectorConfig
from project import sandbox
from project.core import runs, working
from project.core.callers import SYSTEM
from project.core.models import Run
from project.core.runs import Ask
from tests.markets.factories import START_MS, make_collector_config

LISTED_MS = START_MS
#: Two days and a bit after the listing, in mid-minute.
CLOCK_MS = START_MS + 2 * 86_400_000 + 5 * 60_000 + 30_000
HANDLERS = {
    "markets.collect": collecting.run,
    "markets.quality": quality.run,
    "markets.backfill": repairing.run,
    "markets.discover": discovering.run,
    "markets.partition": partitions.run,
    "markets.import": importing.run,
    "markets.retry_failed_tasks": repairing.run_retries,
    "markets.clean_up": tidying.run,
    "markets.audit": auditing.run,
}


def make_local(world: sandbox.World, exchange: str = "binance", **fields: Any) -> CollectorConfig:
    """Make a collector that asks the world's exchange."""
    facts: dict[str, Any] = {
        "rest_url": world.exchange.url,
        "exchange_name": exchange,
        "concurrency": 1,
        "rate_requests": 100_000,
        "retry_base_s": 0,
        "retry_max_s": 0,
        "timeout_s": 5,
        **fields,
    }
    return make_collector_config(**facts)


def execute(run: Run) -> Run:
    """Do a run's work here and now, as a worker would."""
    working.execute(str(run.pk), HANDLERS[run.kind], kind=run.kind)
    run.refresh_from_db()
    return run


def collect(collector: CollectorConfig) -> Run:
    return execute(collecting.ask(collector, by=SYSTEM, now=timezone.now()))


def check_quality(**payload: Any) -> Run:
    wanted = Ask(kind="markets.quality", payload=payload)
    return execute(runs.submit(wanted, by=SYSTEM, now=timezone.now()))


def run_of(task: BackfillTask) -> Run:
    """Return the last attempt at a task."""
    return Run.objects.about("markets.backfilltask", task.pk).latest("created_at")


def backfill_all() -> list[BackfillTask]:
    """Do the runs of all tasks that were started, until none waits; return the tasks."""
    while waiting := Run.objects.filter(kind="markets.backfill", status="queued").first():
        execute(waiting)
    return list(BackfillTask.objects.order_by("pk"))
