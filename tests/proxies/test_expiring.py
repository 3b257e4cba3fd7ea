from datetime import timedelta

import pytest
from django.utils import timezone

from project.core import runs
from project.core.callers import SYSTEM
from proxies import expiring, kinds, lending, metrics
from proxies.lending import Ask
from proxies.models import Lease, LeaseSlot
from tests.proxies.factories import make_proxy


@pytest.mark.django_db(transaction=True)
def test_a_sweep_ends_what_ran_out_and_leaves_the_rest(do):
    now = timezone.now()
    for _ in range(3):
        make_proxy()
    early = now - timedelta(hours=1)
    gone = [lending.acquire(Ask(holder="a"), by=SYSTEM, now=early).id for _ in range(2)]
    standing = lending.acquire(Ask(holder="b", ttl_s=600), by=SYSTEM, now=now)
    before = metrics.EXPIRED._value.get()

    run = do(runs.submit(runs.Ask(kinds.SWEEP.name), by=SYSTEM, now=now), expiring.run)

    assert (run.status, run.counts) == ("done", {"expired": 2})
    assert set(Lease.objects.filter(state="expired").values_list("pk", flat=True)) == set(gone)
    assert LeaseSlot.objects.exclude(token=None).get().token == standing.token
    assert metrics.EXPIRED._value.get() == before + 2
