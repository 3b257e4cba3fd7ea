"""Background entry points of the proxies app."""

from celery import shared_task

from project.core import tasks, working
from proxies import checking, expiring, fetching, importing, kinds, sampling, syncing


@shared_task(**tasks.options(kinds.FETCH.name))
def fetch(*, run_id: str, **_: object) -> None:
    """Fetch proxy lists."""
    working.execute(run_id, fetching.run, kind=kinds.FETCH.name)


@shared_task(**tasks.options(kinds.VALIDATE.name))
def validate(*, run_id: str, **_: object) -> None:
    """Do, or go on with, a round of validation."""
    working.execute(run_id, checking.run, kind=kinds.VALIDATE.name)


@shared_task(**tasks.options(kinds.IMPORT.name))
def import_list(*, run_id: str, **_: object) -> None:
    """Take over a list that was handed in."""
    working.execute(run_id, importing.run, kind=kinds.IMPORT.name)


@shared_task(**tasks.options(kinds.SWEEP.name))
def sweep(*, run_id: str, **_: object) -> None:
    """End leases that ran out."""
    working.execute(run_id, expiring.run, kind=kinds.SWEEP.name)


@shared_task(**tasks.options(kinds.ETL_SYNC.name))
def etl_sync(*, run_id: str, **_: object) -> None:
    """Tell the ETL endpoint what the pools look like."""
    working.execute(run_id, syncing.run, kind=kinds.ETL_SYNC.name)


@shared_task(**tasks.options(kinds.SNAPSHOT.name))
def snapshot(*, run_id: str, **_: object) -> None:
    """Remember how the pools look."""
    working.execute(run_id, sampling.run, kind=kinds.SNAPSHOT.name)
