"""What staff do to proxies by hand: take out, let back in, lift a ban."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from proxies import returning
from proxies.choices import ProxyState
from proxies.models import Lease, Proxy, TargetState


def block(proxies: QuerySet[Proxy], *, now: datetime) -> int:
    """Take proxies out for good, and end the leases on them; return how many."""
    ids = list(proxies.exclude(state=ProxyState.BLOCKED).values_list("pk", flat=True))
    with transaction.atomic():
        taken = Proxy.objects.filter(pk__in=ids).exclude(state=ProxyState.BLOCKED)
        count = taken.update(state=ProxyState.BLOCKED, pool="", retired_at=None)
    returning.revoke(Lease.objects.filter(proxy__in=ids), now=now)
    return count


def unblock(proxies: QuerySet[Proxy], *, now: datetime) -> int:
    """Let blocked or retired proxies be checked again, at once; return how many."""
    out = proxies.filter(state__in=(ProxyState.BLOCKED, ProxyState.RETIRED))
    return out.update(
        state=ProxyState.FAILING, check_due_at=now, failures_in_row=0, retired_at=None
    )


def lift(states: QuerySet[TargetState]) -> int:
    """Let targets be visited again by the proxies they banned; return how many."""
    banned = states.filter(blocked_until__isnull=False)
    return banned.update(blocked_until=None, blocked_for="", failures_in_row=0)
