"""Sets of runs and processes; every method narrows or orders, none writes."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from project.core.choices import FINAL, UNENDED, RunStatus

if TYPE_CHECKING:
    from project.core.callers import Caller
    from project.core.models import ProcessHeartbeat, Run  # noqa: F401 -- parameters of bases


class RunQuerySet(models.QuerySet["Run"]):
    """Sets of runs."""

    def visible_to(self, caller: "Caller") -> Self:
        """Runs that ``caller`` may know of: all for staff, else their own."""
        if caller.is_staff:
            return self
        return self.filter(requested_by_id=caller.user_id) if caller.user_id else self.none()

    def unended(self) -> Self:
        """Runs that wait or work."""
        return self.filter(status__in=UNENDED)

    def ended(self) -> Self:
        """Runs in a final state."""
        return self.filter(status__in=FINAL)

    def claimable(self, *, at: datetime) -> Self:
        """Runs that a worker may take at ``at``: they wait, and are due."""
        due = Q(next_try_at__isnull=True) | Q(next_try_at__lte=at)
        return self.filter(due, status=RunStatus.QUEUED)

    def about(self, subject_type: str, subject_id: object) -> Self:
        """Runs about one object, e.g. ``about("markets.series", 7)``."""
        return self.filter(subject_type=subject_type, subject_id=str(subject_id))


class ProcessQuerySet(models.QuerySet["ProcessHeartbeat"]):
    """Sets of processes."""

    def alive(self, *, since: datetime) -> Self:
        """Processes whose last sign of life is not older than ``since``."""
        return self.filter(beat_at__gte=since)
