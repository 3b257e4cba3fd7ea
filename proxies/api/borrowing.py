"""What the addresses of leases do, whichever way a request comes: by REST framework or by the desk.

Each takes who asks and the body as it was read, and returns status and answer. The serializers'
instances are shared: they hold no state of a request, and making one costs more than a lease.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

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
_ACQUIRE: Final = LeaseRequest()
_RENEW: Final = RenewRequest()
_RELEASE: Final = ReleaseRequest()
_LEASE: Final = LeaseOut()
_RELEASED: Final = ReleaseOut()


def acquire(body: Any, *, by: Caller) -> Told:
    """Lend a proxy: 201, or 200 with the lease that the same request got before."""
    wanted = dict(_ACQUIRE.run_validation(body))
    ask = lending.Ask(ttl_s=wanted.pop("ttl", None), **wanted)
    granted = lending.acquire(ask, by=by, now=timezone.now())
    return 200 if granted.reused else 201, _LEASE.to_representation(granted)


def renew(body: Any, *, by: Caller, lease_id: int) -> Told:
    """Keep a proxy for longer."""
    asked = _RENEW.run_validation(body)
    granted = returning.renew(
        lease_id, token=asked["token"], ttl_s=asked.get("ttl"), by=by, now=timezone.now()
    )
    return 200, _LEASE.to_representation(granted)


def release(body: Any, *, by: Caller, lease_id: int) -> Told:
    """Take a proxy back."""
    told = dict(_RELEASE.run_validation(body))
    token, size = told.pop("token"), told.pop("bytes", None)
    report = returning.Report(size_bytes=size, **told)
    released = returning.release(lease_id, report, token=token, by=by, now=timezone.now())
    return 200, _RELEASED.to_representation(released)
