"""When periodic jobs are sent: from the database, by one beat, missed ones caught up.

Beyond django-celery-beat 2.9: crontabs far from now are loaded too (it leaves them out, so that
a job missed while beat was down is never caught up); of several beats one leads; and each job
becomes a run in the database in the transaction that marks it as sent.
"""

import json
import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, close_old_connections, transaction
from django.db.models import F
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from project.core import halting, kinds, leading, runs
from project.core.callers import SYSTEM

logger = logging.getLogger(__name__)
LEAD_FOR: Final = timedelta(seconds=20)
FOLLOW_EVERY_S: Final = 5.0


class CatchUpEntry(ModelEntry):
    """A periodic job, and when the database says that it was last sent."""

    def __init__(self, model: PeriodicTask, app: Any = None) -> None:
        if not hasattr(model, "stored_last_run_at"):  # read before Celery fills an empty one
            model.stored_last_run_at = model.last_run_at
        super().__init__(model, app=app)

    def __next__(self) -> "CatchUpEntry":
        self.model.last_run_at = timezone.now()
        self.model.total_run_count += 1
        return self.__class__(self.model, app=self.app)

    def save(self) -> None:
        """Do nothing: ``send_once`` has written it already, compared and set."""


class CatchUpScheduler(DatabaseScheduler):
    """The scheduler that settings name."""

    Entry = CatchUpEntry

    def enabled_models_qs(self) -> Any:
        """Return all enabled jobs: none is left out for being hours away."""
        return self.Model.objects.enabled()

    def setup_schedule(self) -> None:
        """Read the schedule; Celery's own result clean-up isn't wanted, we keep no results."""
        self.update_from_dict(self.app.conf.beat_schedule)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due, if this beat leads; return the seconds until the next look."""
        try:
            if not leading.lead("beat", for_=LEAD_FOR, now=timezone.now()):
                return FOLLOW_EVERY_S
            wait_s: float = super().tick(*args, **kwargs)
        except DatabaseError as error:
            logger.warning("nothing sent, the database is away", extra={"why": repr(error)})
            return FOLLOW_EVERY_S
        finally:
            close_old_connections()  # others may have it while beat sleeps
        return min(wait_s, FOLLOW_EVERY_S)

    def apply_async(
        self,
        entry: Any,
        producer: Any = None,
        advance: bool = True,  # noqa: FBT001, FBT002 -- Celery's signature
        **kwargs: Any,
    ) -> Any:
        """Send one job: kinds of run become a run first, other tasks go out as they are."""
        if not send_once(entry.model, now=timezone.now()) or entry.task in kinds.known():
            return None
        return super().apply_async(entry, producer=producer, advance=False, **kwargs)


def send_once(job: PeriodicTask, *, now: datetime) -> bool:
    """Mark ``job`` as sent and create its run, unless another beat has done so already.

    A job whose last run has not ended yet is passed over this time: nothing piles up.

    Args:
        job: as read by ``CatchUpEntry``, with ``stored_last_run_at``.
        now: the moment, UTC.

    Returns:
        False when a rival sent it since ``job`` was read.
    """
    rows = PeriodicTask.objects.filter(pk=job.pk, enabled=True)
    seen = job.stored_last_run_at
    unsent = (
        rows.filter(last_run_at__isnull=True) if seen is None else rows.filter(last_run_at=seen)
    )
    with transaction.atomic():
        if not unsent.update(last_run_at=now, total_run_count=F("total_run_count") + 1):
            job.stored_last_run_at = rows.values_list("last_run_at", flat=True).first()
            return False
        if job.task in kinds.known():
            start(job, now=now)
    job.stored_last_run_at = now
    return True


def ask_for(job: PeriodicTask) -> runs.Ask:
    """Return what a periodic job asks for, by schedule or by hand: one unended run at most."""
    return runs.Ask(
        kind=job.task,
        subject=job.name,
        payload=json.loads(job.kwargs or "{}"),
        exclusive_key="" if kinds.get(job.task).alone else f"schedule:{job.name}",
        schedule=job.name,
    )


def start(job: PeriodicTask, *, now: datetime) -> None:
    """Create the run of ``job``, unless its last one still works, or it is switched off."""
    if job.task in halting.kinds_halted():
        return
    try:
        runs.submit(ask_for(job), by=SYSTEM, now=now)
    except runs.AlreadyRunningError as busy:
        logger.info("still at work, passed over", extra={"job": job.name, **busy.extra})
