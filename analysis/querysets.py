"""Sets of analyses, jobs and batches; every method narrows or orders, none writes."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from project.core.callers import Caller
from project.core.choices import FINAL

if TYPE_CHECKING:
    from analysis.models import Analysis, Batch, Job  # noqa: F401 -- parameters of bases


class AnalysisQuerySet(models.QuerySet["Analysis"]):
    """Sets of analyses."""

    def visible_to(self, caller: Caller) -> Self:
        """Those that ``caller`` has asked for; all for staff. Uploads are their owner's alone."""
        if caller.is_staff:
            return self
        if caller.user_id is None:
            return self.none()
        asked = self.model.objects.filter(jobs__owner_id=caller.user_id).values("pk")
        return self.filter(pk__in=asked)


class JobQuerySet(models.QuerySet["Job"]):
    """Sets of jobs."""

    def visible_to(self, caller: Caller) -> Self:
        """All for staff, else their own."""
        if caller.is_staff:
            return self
        return self.filter(owner_id=caller.user_id) if caller.user_id else self.none()

    def open(self) -> Self:
        """Those that wait or work."""
        return self.filter(final_status="")

    def in_status(self, status: str) -> Self:
        """Those whose status is ``status``, their own or their run's."""
        if status in FINAL:
            return self.filter(final_status=status)
        return self.open().filter(run__status=status)


class BatchQuerySet(models.QuerySet["Batch"]):
    """Sets of batches."""

    def visible_to(self, caller: Caller) -> Self:
        """All for staff, else their own."""
        if caller.is_staff:
            return self
        return self.filter(owner_id=caller.user_id) if caller.user_id else self.none()

    def open(self) -> Self:
        """Those with a job that waits or works."""
        return self.filter(Q(final_status=""))
