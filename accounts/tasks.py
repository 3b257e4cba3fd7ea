"""Background work of the app accounts."""

from celery import shared_task

from accounts import delivering, kinds
from project.core import tasks, working


@shared_task(**tasks.options(kinds.DELIVER.name))
def deliver(*, run_id: str, **_: object) -> None:
    """Send to webhooks what is due."""
    working.execute(run_id, delivering.run, kind=kinds.DELIVER.name)
