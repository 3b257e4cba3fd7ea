from datetime import timedelta

import pytest
from django.utils import timezone

from project.core import events, totals
from project.core.choices import RunStatus
from project.core.models import TaskTotals
from tests.factories import make_run
from tests.project.rivals import rivals


@pytest.mark.django_db
def test_totals_add_up(now):
    hour = timedelta(hours=1)
    for status, takeovers in (("done", 0), ("partial", 1), ("failed", 2), ("canceled", 0)):
        run = make_run(
            status=status, now=now, started_at=now - hour, takeovers=takeovers, error_type="boom"
        )
        totals.add(run)

    row = TaskTotals.objects.get(kind="tests.job")
    assert (row.done, row.failed, row.canceled, row.restarts) == (2, 1, 1, 3)
    assert (row.total_s, row.last_duration_s) == (4 * 3600.0, 3600.0)
    assert (row.last_started_at, row.last_ended_at) == (now - hour, now)
    assert (row.last_error_type, row.last_error_at) == ("boom", now)


@pytest.mark.django_db(transaction=True)
def test_totals_of_many_rivals_miss_none():
    runs = [make_run(now=timezone.now()) for _ in range(12)]

    def end(number: int) -> bool:
        changes = {"status": RunStatus.DONE, "ended_at": timezone.now()}
        return events.record(runs[number], where={}, changes=changes, now=timezone.now())

    assert all(rivals(12, end))

    assert TaskTotals.objects.get(kind="tests.job").done == 12
