"""The Celery tasks of the app: one per kind of run, each one call into a verb."""

from celery import shared_task

from analysis import batches, kinds, pipeline
from project.core import working
from project.core.tasks import options


@shared_task(**options(kinds.JOB.name))
def job(*, run_id: str, **_: object) -> None:
    """Analyse a video, or try places again."""
    working.execute(run_id, pipeline.run, kind=kinds.JOB.name)


@shared_task(**options(kinds.BATCH.name))
def batch(*, run_id: str, **_: object) -> None:
    """Look after a batch of videos."""
    working.execute(run_id, batches.run, kind=kinds.BATCH.name)
