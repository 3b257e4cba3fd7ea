"""When a Nominatim server may be asked: one request at a time, over all processes.

Each request takes the next slot of the server's row by compare-and-set and waits until then. What
the server itself says (429 with Retry-After) holds for everybody, too.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from analysis.failures import Transient
from analysis.models import GeocoderHost

#: A request that would have to wait longer is put off to another attempt.
LONGEST_WAIT_S: Final = 120.0
_US: Final = 1_000_000


def reserve(host: str, *, interval_s: float, now: datetime) -> float:
    """Take the next slot of a server; return the seconds to wait for it.

    Args:
        host: of the server.
        interval_s: between two requests.
        now: the moment, UTC.

    Raises:
        Transient: the wait would be too long; ``retry_after`` says how long.
    """
    now_us = int(now.timestamp() * _US)
    while True:
        row = _row(host)
        blocked_us = int(row.blocked_until.timestamp() * _US) if row.blocked_until else 0
        slot_us = max(row.next_slot_us, now_us, blocked_us)
        wait_s = (slot_us - now_us) / _US
        if wait_s > LONGEST_WAIT_S:
            raise Transient(f"{host} is busy for {wait_s:.0f} s", retry_after=wait_s)
        mine = GeocoderHost.objects.filter(pk=row.pk, next_slot_us=row.next_slot_us)
        if mine.update(next_slot_us=slot_us + int(interval_s * _US)):
            return wait_s


def block(host: str, *, for_s: float, reason: str, now: datetime) -> None:
    """Keep everybody from asking a server for a while; a longer block stays."""
    row, until = _row(host), now + timedelta(seconds=for_s)
    if row.blocked_until is None or row.blocked_until < until:
        GeocoderHost.objects.filter(pk=row.pk).update(blocked_until=until, block_reason=reason)


def _row(host: str) -> GeocoderHost:
    found = GeocoderHost.objects.filter(host=host).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return GeocoderHost.objects.create(host=host)
    except IntegrityError:  # a rival made it
        return GeocoderHost.objects.get(host=host)
