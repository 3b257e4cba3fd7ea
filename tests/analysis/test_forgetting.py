from datetime import timedelta

import pytest
from django.utils import timezone

from analysis.models import Lookup
from project.core import events, tasks
from tests.analysis.factories import make_lookup
from tests.factories import make_run


@pytest.mark.django_db(transaction=True)
def test_answers_that_hold_no_longer_go_at_night(monkeypatch):
    monkeypatch.setattr(events, "BATCH", 2)
    now = timezone.now()
    for _ in range(5):
        make_lookup(asked_at=now - timedelta(days=91))
    kept = make_lookup(asked_at=now - timedelta(days=89))
    run = make_run(kind="core.clean_up")

    tasks.clean_up(run_id=str(run.pk))

    run.refresh_from_db()
    assert run.counts["geocoder_answers"] == 5
    assert list(Lookup.objects.all()) == [kept]
