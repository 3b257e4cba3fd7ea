"""One ``make_…`` function for each model: the plainest valid row, any field overridable."""

import uuid
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from proxies.choices import Pool, ProxyState
from proxies.identity import endpoint_key, hash_password
from proxies.models import (
    Check,
    CheckTarget,
    Delivery,
    ImportUpload,
    Lease,
    LeaseSlot,
    Mending,
    PoolPolicy,
    PoolSnapshot,
    Proxy,
    ProxySource,
    ReceivedSnapshot,
    SourceEntry,
    SourceFetch,
    StickySession,
    TargetState,
)

NOW: Final = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
_numbers = count(1)


def make_proxy(**fields: Any) -> Proxy:
    """Make a healthy proxy with its slot; ``slots=0`` for none."""
    slots = fields.pop("slots", 1)
    state = fields.get("state", ProxyState.HEALTHY)
    number = next(_numbers)
    usual = {
        "scheme": "http",
        "host": f"198.51.{number // 250}.{number % 250 + 1}",
        "port": 8080,
        "state": state,
        "pool": Pool.WARM if state == ProxyState.HEALTHY else "",
        "score": 60.0,
        "first_seen_at": NOW - timedelta(days=1),
        "check_due_at": NOW,
    }
    proxy = Proxy(**{**usual, **fields})
    proxy.password_hash = hash_password(proxy.password)
    proxy.exclusive_key = fields.get("exclusive_key") or endpoint_key(proxy.identity)
    proxy.save()
    for n in range(slots):
        LeaseSlot.objects.get_or_create(exclusive_key=proxy.exclusive_key, n=n)
    return proxy


def make_proxy_source(**fields: Any) -> ProxySource:
    name = f"source {next(_numbers)}"
    usual = {"name": name, "url": "https://lists.example.com/all.txt"}
    return ProxySource.objects.create(**{**usual, **fields})


def make_source_entry(**fields: Any) -> SourceEntry:
    usual: dict[str, Any] = {"first_seen_at": NOW, "last_seen_at": NOW}
    usual["source"] = fields.get("source") or make_proxy_source()
    usual["proxy"] = fields.get("proxy") or make_proxy()
    return SourceEntry.objects.create(**{**usual, **fields})


def make_lease(**fields: Any) -> Lease:
    """Make the record of a lease, without a claim on a slot: ``lending.acquire`` makes both."""
    proxy = fields.pop("proxy", None) or make_proxy()
    usual: dict[str, Any] = {
        "token": uuid.uuid4(),
        "proxy": proxy,
        "exclusive_key": proxy.exclusive_key,
        "n": 0,
        "pool": proxy.pool or Pool.WARM,
        "holder": "tests",
        "acquired_at": NOW,
        "expires_at": NOW + timedelta(seconds=30),
    }
    return Lease.objects.create(**{**usual, **fields})


def make_check(**fields: Any) -> Check:
    usual: dict[str, Any] = {"at": NOW, "verdict": "ok", "latency_ms": 100.0}
    usual["proxy"] = fields.get("proxy") or make_proxy()
    return Check.objects.create(**{**usual, **fields})


def make_target_state(**fields: Any) -> TargetState:
    usual: dict[str, Any] = {"target": "binance.com"}
    usual["proxy"] = fields.get("proxy") or make_proxy()
    return TargetState.objects.create(**{**usual, **fields})


def make_sticky_session(**fields: Any) -> StickySession:
    usual: dict[str, Any] = {
        "holder": "tests",
        "session": f"session {next(_numbers)}",
        "used_at": NOW,
    }
    usual["proxy"] = fields.get("proxy") or make_proxy()
    return StickySession.objects.create(**{**usual, **fields})


def make_import_upload(**fields: Any) -> ImportUpload:
    return ImportUpload.objects.create(**{"text": "8.8.8.8:80", **fields})


def make_lease_slot(**fields: Any) -> LeaseSlot:
    return LeaseSlot.objects.create(**{"exclusive_key": f"endpoint:{next(_numbers)}", **fields})


def make_mending(**fields: Any) -> Mending:
    usual = {"at": NOW, "exclusive_key": f"endpoint:{next(_numbers)}", "n": 0, "done": "freed"}
    return Mending.objects.create(**{**usual, **fields})


def make_check_target(**fields: Any) -> CheckTarget:
    url = f"https://site-{next(_numbers)}.example.com/ping"
    return CheckTarget.objects.create(**{"url": url, **fields})


def make_pool_policy(**fields: Any) -> PoolPolicy:
    """Change the policy of a pool, ``warm`` unless said otherwise."""
    pool = fields.pop("pool", Pool.WARM)
    policy, _ = PoolPolicy.objects.update_or_create(pool=pool, defaults=fields)
    return policy


def make_delivery(**fields: Any) -> Delivery:
    return Delivery.objects.create(**{"payload": {"version": "0"}, "made_at": NOW, **fields})


def make_received_snapshot(**fields: Any) -> ReceivedSnapshot:
    usual: dict[str, Any] = {
        "key": f"key {next(_numbers)}",
        "digest": "0" * 64,
        "version": "0.1.0",
        "taken_at": NOW,
        "pools": {"hot": 1},
        "sources": [{"name": "one"}],
        "received_at": NOW,
    }
    return ReceivedSnapshot.objects.create(**{**usual, **fields})


def make_pool_snapshot(**fields: Any) -> PoolSnapshot:
    usual = {"second": int(NOW.timestamp()) + 60 * next(_numbers), "size": 1}
    return PoolSnapshot.objects.create(**{**usual, **fields})


def make_source_fetch(**fields: Any) -> SourceFetch:
    usual: dict[str, Any] = {"at": NOW, "outcome": "success", "took_s": 1.0, "accepted": 10}
    usual["source"] = fields.get("source") or make_proxy_source()
    return SourceFetch.objects.create(**{**usual, **fields})
