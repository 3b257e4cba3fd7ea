"""How every task of the project is sent and bounded, and the floor's own tasks."""

from typing import TypedDict

from celery import shared_task
from django.utils import timezone

from project.core import cleaning, kinds, trends, working


class Options(TypedDict):
    """What ``shared_task`` is told."""

    name: str
    time_limit: int
    soft_time_limit: int


def options(kind: str) -> Options:
    """Return the options of the task that does the runs of ``kind``.

    No retry of Celery's: the run's row says when it is tried again (``core/working.py``).
    The limit is kept by the claim, since a pool of threads ignores Celery's.
    """
    limit_s = kinds.get(kind).limit_s
    return {"name": kind, "time_limit": limit_s + 60, "soft_time_limit": limit_s}


@shared_task(**options(kinds.CLEAN_UP.name))
def clean_up(*, run_id: str, **_: object) -> None:
    """Drop runs, events and heartbeats that are too old."""
    working.execute(
        run_id, lambda work: cleaning.clean_up(work, now=timezone.now()), kind=kinds.CLEAN_UP.name
    )


@shared_task(**options(kinds.REMEMBER.name))
def remember_figures(*, run_id: str, **_: object) -> None:
    """Write the key figures down, for their trends."""
    working.execute(
        run_id, lambda work: trends.remember(work, now=timezone.now()), kind=kinds.REMEMBER.name
    )
