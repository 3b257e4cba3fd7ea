"""The Celery tasks of the app: one per kind of run, each one call into a verb."""

from celery import shared_task

from markets import (
    auditing,
    collecting,
    discovering,
    importing,
    kinds,
    partitions,
    quality,
    repairing,
    tidying,
)
from project.core import working
from project.core.tasks import options


@shared_task(**options(kinds.COLLECT.name))
def collect(*, run_id: str, **_: object) -> None:
    """Run one collector, or start a run of each that is enabled."""
    working.execute(run_id, collecting.run, kind=kinds.COLLECT.name)


@shared_task(**options(kinds.QUALITY.name))
def check_quality(*, run_id: str, **_: object) -> None:
    """Check the quality of one market, or of all that are enabled."""
    working.execute(run_id, quality.run, kind=kinds.QUALITY.name)


@shared_task(**options(kinds.BACKFILL.name))
def backfill(*, run_id: str, **_: object) -> None:
    """Do one backfill task, or start those that wait."""
    working.execute(run_id, repairing.run, kind=kinds.BACKFILL.name)


@shared_task(**options(kinds.DISCOVER.name))
def discover(*, run_id: str, **_: object) -> None:
    """Read an exchange's list of markets."""
    working.execute(run_id, discovering.run, kind=kinds.DISCOVER.name)


@shared_task(**options(kinds.PARTITION.name))
def partition(*, run_id: str, **_: object) -> None:
    """Make the partitions of the coming months."""
    working.execute(run_id, partitions.run, kind=kinds.PARTITION.name)


@shared_task(**options(kinds.IMPORT.name))
def import_file(*, run_id: str, **_: object) -> None:
    """Store a candle file that staff uploaded."""
    working.execute(run_id, importing.run, kind=kinds.IMPORT.name)


@shared_task(**options(kinds.RETRY_FAILED.name))
def retry_failed_tasks(*, run_id: str, **_: object) -> None:
    """Try backfill tasks again that failed for a passing reason."""
    working.execute(run_id, repairing.run_retries, kind=kinds.RETRY_FAILED.name)


@shared_task(**options(kinds.CLEAN_UP.name))
def clean_up(*, run_id: str, **_: object) -> None:
    """Drop what is too old: failures, ended tasks, closed gaps and alerts, findings."""
    working.execute(run_id, tidying.run, kind=kinds.CLEAN_UP.name)


@shared_task(**options(kinds.AUDIT.name))
def audit(*, run_id: str, **_: object) -> None:
    """Compare a sample of stored candles with the exchange."""
    working.execute(run_id, auditing.run, kind=kinds.AUDIT.name)
