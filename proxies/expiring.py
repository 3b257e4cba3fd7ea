"""Ending what nobody gave back: leases that ran out, a portion at a time."""

from typing import Final

from django.utils import timezone

from project.core.working import Work
from proxies import mending, returning
from proxies.models import Lease

PORTION: Final = 200


def run(work: Work) -> None:
    """End all leases that have run out, as a run.

    Nobody waits for it: a slot whose time is over is free to take. It keeps the record, and
    the metrics, from lagging behind.
    """
    now = timezone.now()
    ended = 0
    while found := list(Lease.objects.run_out(at=now).values_list("pk", "token")[:PORTION]):
        ended += returning.expire(found, now=now)
        work.report(counts={"expired": ended})
    if mended := mending.mend(now=now):
        work.report(counts={"expired": ended, "mended": mended})
