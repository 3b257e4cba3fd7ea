"""What the proxies app remembers."""

from proxies.models.etl import Delivery, ReceivedSnapshot
from proxies.models.history import PoolSnapshot, SourceFetch
from proxies.models.leases import Lease, LeaseSlot, Mending, StickySession, TargetState
from proxies.models.pool import Check, CheckTarget, PoolPolicy, Proxy
from proxies.models.sources import ImportPart, ImportUpload, ProxySource, SourceEntry

__all__ = [
    "Check",
    "CheckTarget",
    "Delivery",
    "ImportPart",
    "ImportUpload",
    "Lease",
    "LeaseSlot",
    "Mending",
    "PoolPolicy",
    "PoolSnapshot",
    "Proxy",
    "ProxySource",
    "ReceivedSnapshot",
    "SourceEntry",
    "SourceFetch",
    "StickySession",
    "TargetState",
]
