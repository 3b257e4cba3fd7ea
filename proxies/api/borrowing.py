"""What the addresses of leases do, whichever way a request comes: by REST framework or by the desk.

Each takes who asks and the body as it was read, and returns status and answer. The serializers
are made once: they hold no state of a request, and making one costs more than a lease.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from project.core.api.quick import Reader, Writer
from proxies import lending, returning
from proxies.api.serializers import (
    LeaseOut,
    LeaseRequest,
    ReleaseOut,
    ReleaseRequest,
    RenewRequest,
)

if TYPE_CHECKING:
    from project.core.callers import Caller

#: What opens all of them.
SCOPE: Final = "proxies:write"

Told = tuple[int, dict[str, Any]]
_ACQUIRE: Final = Reader(LeaseRequest())
_RENEW: Final = Reader(RenewRequest())
_RELEASE: Final = Reader(ReleaseRequest())
_LEASE: Final = Writer(LeaseOut())
_RELEASED: Final = Writer(ReleaseOut())


def acquire(body: Any, *, by: Caller) -> Told:
    """Lend a proxy: 201, or 200 with the lease that the same request got before."""
    wanted = _ACQUIRE.read(body)
    ask = lending.Ask(ttl_s=wanted.pop("ttl", None), **wanted)
    granted = lending.acquire(ask, by=by, now=timezone.now())
    return 200 if granted.reused else 201, _LEASE.write(granted)


def renew(body: Any, *, by: Caller, lease_id: int) -> Told:
    """Keep a proxy for longer."""
    asked = _RENEW.read(body)
    granted = returning.renew(
        lease_id, token=asked["token"], ttl_s=asked.get("ttl"), by=by, now=timezone.now()
    )
    return 200, _LEASE.write(granted)


def release(body: Any, *, by: Caller, lease_id: int) -> Told:
    """Take a proxy back."""
    told = _RELEASE.read(body)
    token, size = told.pop("token"), told.pop("bytes", None)
    report = returning.Report(size_bytes=size, **told)
    released = returning.release(lease_id, report, token=token, by=by, now=timezone.now())
    return 200, _RELEASED.write(released)
