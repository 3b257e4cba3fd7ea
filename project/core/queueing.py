"""Waking a worker for a run, once the run is safely in the database."""

import logging
from functools import partial

from celery import current_app
from django.db import transaction

from project.core.models import Run

logger = logging.getLogger(__name__)


def enqueue(task_name: str, *, run_id: str) -> None:
    """Send a task once the current transaction is committed.

    The message only wakes a worker: where it cannot be sent, or is lost, the sweeper
    (``core/sweeping.py``) sends it again. Tasks sit above the verbs, so they are named, not
    imported; ``tests/architecture/test_tasks.py`` proves that every name exists.
    """
    transaction.on_commit(partial(send, task_name, run_id=run_id), robust=True)


def send(task_name: str, *, run_id: str) -> bool:
    """Give the message to the broker now; False when the broker is away."""
    try:
        current_app.send_task(task_name, kwargs={"run_id": run_id})
    except Exception as error:  # noqa: BLE001 -- each broker has errors of its own
        Run.objects.filter(pk=run_id).update(sent_at=None)
        logger.warning(
            "broker away, the sweeper will send", extra={"run_id": run_id, "why": repr(error)}
        )
        return False
    return True
