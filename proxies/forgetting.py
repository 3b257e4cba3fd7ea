"""Which proxies are forgotten: those that are long dead, and that no list names any more."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Q

from proxies.choices import ProxyState
from proxies.models import LeaseSlot, Proxy

#: Most that go at once, so that no other writer waits long.
AT_ONCE: Final = 500


def forget(*, now: datetime, at_most: int = AT_ONCE) -> int:
    """Drop retired proxies after their retention time, with their history; return how many.

    One that a list has named since then stays: it may return, and then keeps its history.
    """
    since = now - timedelta(days=settings.PROXY_RETENTION_DAYS)
    dead = Proxy.objects.filter(state=ProxyState.RETIRED, last_seen_at__lt=since)
    found = dead.filter(Q(retired_at__lt=since) | Q(retired_at__isnull=True)).order_by("pk")
    rows = list(found.values_list("pk", "exclusive_key")[:at_most])
    if not rows:
        return 0
    gone = dead.filter(pk__in=[pk for pk, _ in rows])
    count = gone.count()
    gone.delete()
    _drop_slots({key for _, key in rows})
    return count


def _drop_slots(keys: set[str]) -> None:
    """Drop the slots that no proxy has any more, and that nobody holds."""
    still = set(
        Proxy.objects.filter(exclusive_key__in=keys).values_list("exclusive_key", flat=True)
    )
    free = LeaseSlot.objects.filter(exclusive_key__in=keys - still, token__isnull=True)
    free.delete()
