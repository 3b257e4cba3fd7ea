"""What the proxies app remembers."""

from proxies.models.etl import Delivery, ReceivedSnapshot
from proxies.models.history import PoolSnapshot, SourceFetch
from proxies.models.leases import Lease, LeaseSlot, StickySession, TargetState
from proxies.models.pool import Check, PoolPolicy, Proxy
from proxies.models.sources import ImportUpload, ProxySource, SourceEntry

__all__ = [
    "Check",
    "Delivery",
    "ImportUpload",
    "Lease",
    "LeaseSlot",
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
