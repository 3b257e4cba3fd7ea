from datetime import timedelta

import pytest
from django.utils import timezone

from project.core import tasks
from project.core.choices import RunStatus
from project.core.models import Run
from tests.factories import make_audit_entry, make_event, make_run


@pytest.mark.django_db(transaction=True)
def test_clean_up_drops_what_is_too_old_and_says_how_much():
    old = timezone.now() - timedelta(days=100)
    make_event(make_run(status=RunStatus.DONE, now=old), created_at=old)
    make_audit_entry(at=timezone.now() - timedelta(days=731))
    make_audit_entry(at=old)
    kept = make_run(status=RunStatus.DONE)
    run = make_run(kind="core.clean_up")

    tasks.clean_up(run_id=str(run.pk), argument_of_a_later_version=1)

    run.refresh_from_db()
    assert run.status == "done"
    assert {"events": 1, "runs": 1, "audit_entries": 1}.items() <= run.counts.items()
    assert set(Run.objects.all()) == {kept, run}
