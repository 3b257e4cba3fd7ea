"""What is forgotten: proxies that are long dead, and the history of the others by its age."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Q, QuerySet

from proxies.choices import Grain, ProxyState, Verdict
from proxies.models import Check, ImportUpload, Lease, LeaseSlot, Mending, Proxy, StickySession

#: Most that go at once, so that no other writer waits long.
AT_ONCE: Final = 500
#: Of each kind of history at most so many rows go at once; the next minute takes the next ones.
ROWS_AT_ONCE: Final = 5_000
#: How long a list that was handed in, and whose import failed, can be tried again.
UPLOADS_KEPT: Final = timedelta(days=7)
#: Failed checks that old are looked for this far back: whoever paused longer keeps some until
#: all of their age go.
_LOOKED_BACK: Final = timedelta(hours=1)


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


def forget_history(*, now: datetime) -> dict[str, int]:
    """Drop old checks, ended leases, mendings, sessions and uploads; return how many of each.

    Checks are kept whole at first, then good ones alone, then none.
    """
    whole = now - timedelta(days=settings.PROXY_FAILED_CHECK_DAYS)
    leases_from = now - timedelta(days=settings.PROXY_LEASE_DAYS)
    checks = Check.objects.filter(at__lt=now - timedelta(days=settings.PROXY_CHECK_DAYS))
    failed = Check.objects.filter(at__lt=whole, at__gte=whole - _LOOKED_BACK)
    unused_since = now - timedelta(days=settings.PROXY_SESSION_DAYS)
    sessions = StickySession.objects.filter(used_at__lt=unused_since)
    uploads = ImportUpload.objects.filter(created_at__lt=now - UPLOADS_KEPT)
    mendings = Mending.objects.filter(at__lt=leases_from)
    return {
        "checks_forgotten": _drop(checks) + _drop(failed.exclude(verdict=Verdict.OK)),
        "leases_forgotten": _drop_leases(leases_from),
        "mendings_forgotten": _drop(mendings),
        "uploads_forgotten": _drop(uploads),
        "sessions_forgotten": _drop(sessions),
    }


def kept_s() -> dict[Grain, int]:
    """Return for how long the pools' history of each grain is kept, seconds: coarser ones longer."""
    found, longest = {}, 0
    for grain, days in zip(Grain, settings.PROXY_CHART_DAYS, strict=True):
        longest = max(longest, int(days * 86_400))
        found[grain] = longest
    return found


def _drop(rows: QuerySet[Any]) -> int:
    ids = list(rows.order_by().values_list("pk", flat=True)[:ROWS_AT_ONCE])
    return rows.filter(pk__in=ids).delete()[0] if ids else 0


def _drop_leases(before: datetime) -> int:
    """Drop those of the oldest leases that ended before; no index is kept for this alone."""
    oldest = Lease.objects.order_by("pk").values_list("pk", "ended_at")[:ROWS_AT_ONCE]
    ids = [pk for pk, ended_at in oldest if ended_at is not None and ended_at < before]
    if not ids:
        return 0
    # one that a report reaches this very moment goes all the same: its time was over long ago
    Lease.objects.filter(pk__in=ids).delete()
    return len(ids)


def _drop_slots(keys: set[str]) -> None:
    """Drop the slots that no proxy has any more, and that nobody holds."""
    still = set(
        Proxy.objects.filter(exclusive_key__in=keys).values_list("exclusive_key", flat=True)
    )
    free = LeaseSlot.objects.filter(exclusive_key__in=keys - still, token__isnull=True)
    free.delete()
