"""What is done where a slot and the record of a lease disagree: never lent twice, never stuck.

Both are written in one transaction, so that this should not happen; a restored backup, a row
changed by hand or a bug can bring it about. The record of a lease that stands wins: somebody may
be working through the proxy.
"""

import logging
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from proxies import metrics
from proxies.choices import LeaseState, Mended
from proxies.models import Lease, LeaseSlot, Mending

logger = logging.getLogger(__name__)
#: In one go; the rest waits for the next sweep.
_PORTION: Final = 500


def mend(*, now: datetime) -> int:
    """Make slots and records agree again, and note what was done; return how much that was."""
    with transaction.atomic():
        done = [*_mend_records(now=now), *_free_slots(now=now)]
        Mending.objects.bulk_create(done)
    for one in done:
        metrics.MENDED.labels(one.done).inc()
        logger.warning(
            "A lease and its slot disagreed", extra={"slot": str(one), "lease": one.lease_id}
        )
    return len(done)


def _mend_records(*, now: datetime) -> list[Mending]:
    """Claim the slots of records that stand; end those that can't."""
    own = LeaseSlot.objects.filter(token=OuterRef("token"))
    orphans = Lease.objects.active().filter(~Exists(own)).order_by("pk")
    done = []
    for lease in orphans.only("token", "exclusive_key", "n", "proxy", "expires_at")[:_PORTION]:
        slot, _ = LeaseSlot.objects.get_or_create(exclusive_key=lease.exclusive_key, n=lease.n)
        slot = LeaseSlot.objects.select_for_update().get(pk=slot.pk)  # before the lease, as always
        active = Lease.objects.active().filter(pk=lease.pk).select_for_update()
        if not active.exists():  # given back meanwhile
            continue
        if lease.expires_at <= now or _is_anothers(slot, now=now):
            is_over = lease.expires_at <= now
            active.update(state=LeaseState.EXPIRED if is_over else LeaseState.REVOKED, ended_at=now)
            done.append(_note(slot, lease, Mended.ENDED, now=now))
            continue
        LeaseSlot.objects.filter(pk=slot.pk).update(
            token=lease.token, held_until=lease.expires_at, proxy=lease.proxy_id
        )
        done.append(_note(slot, lease, Mended.CLAIMED, now=now))
    return done


def _is_anothers(slot: LeaseSlot, *, now: datetime) -> bool:
    """Say whether a lease that stands has the slot."""
    if slot.token is None or slot.held_until is None or slot.held_until <= now:
        return False
    return Lease.objects.standing(at=now).filter(token=slot.token).exists()


def _free_slots(*, now: datetime) -> list[Mending]:
    """Free slots that are held by no lease at all."""
    stands = Lease.objects.active().filter(token=OuterRef("token"))
    stuck = LeaseSlot.objects.held(at=now).filter(~Exists(stands))
    done = []
    for slot in stuck.order_by("pk").select_for_update(of=("self",))[:_PORTION]:
        held = LeaseSlot.objects.filter(pk=slot.pk, token=slot.token)
        if held.update(token=None, held_until=None, proxy=None):
            done.append(_note(slot, None, Mended.FREED, now=now))
    return done


def _note(slot: LeaseSlot, lease: Lease | None, done: Mended, *, now: datetime) -> Mending:
    return Mending(at=now, exclusive_key=slot.exclusive_key, n=slot.n, lease=lease, done=done)
