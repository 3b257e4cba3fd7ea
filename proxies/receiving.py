"""Taking in what another installation tells of its pools: once, however often it is told."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.repeating import MOST_LETTERS, BadIdempotencyKeyError, KeyReusedError
from project.core import health, version
from project.core.callers import Caller
from project.core.moments import stamp
from proxies import syncing
from proxies.models import ReceivedSnapshot

#: Without these nothing can be received, or told of.
_NEEDED: Final = frozenset({"database", "migrations", "redis", "broker", "disk"})


@dataclass(frozen=True, slots=True)
class Told:
    """A snapshot as it came: where ``commit`` is unknown, it is empty."""

    version: str
    commit: str
    timestamp: datetime
    pools: dict[str, Any]
    sources: list[dict[str, Any]]

    def digest(self) -> str:
        """Return what tells one snapshot from another."""
        facts = (self.version, self.commit, self.timestamp, self.pools, self.sources)
        return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Taken:
    """The row of a snapshot, and whether it was there before."""

    id: int
    received_at: datetime
    is_duplicate: bool


def take(told: Told, *, key: str, by: Caller, now: datetime) -> Taken:
    """Keep a snapshot; the same key of the same sender is the same snapshot.

    Args:
        told: what it says.
        key: the sender's Idempotency-Key; empty: the content stands for itself.
        by: who sends it.
        now: the moment, UTC.

    Raises:
        BadIdempotencyKeyError: the key is none.
        KeyReusedError: the key came before, with another snapshot.
    """
    if len(key) > MOST_LETTERS or not (key.isascii() and (key.isprintable())):
        raise BadIdempotencyKeyError(f"1 to {MOST_LETTERS} printable ASCII letters")
    digest = told.digest()
    facts = {"sender_id": by.user_id, "key": key or f"sha256:{digest}"}
    try:
        with transaction.atomic():
            row = ReceivedSnapshot.objects.create(
                **facts,
                digest=digest,
                version=told.version,
                commit=told.commit,
                taken_at=told.timestamp,
                pools=told.pools,
                sources=told.sources,
                received_at=now,
            )
    except IntegrityError:
        known = ReceivedSnapshot.objects.get(**facts)
        if known.digest != digest:
            raise KeyReusedError("use a new key for a new snapshot") from None
        return Taken(known.pk, known.received_at, is_duplicate=True)
    return Taken(row.pk, now, is_duplicate=False)


def health_of(*, now: datetime) -> dict[str, Any]:
    """Return what ``/api/etl/health`` answers: never healthy while what is needed is down.

    ``redis_connected`` is None where no Redis is configured.
    """
    probes = {probe.name: probe for probe in health.probe_some(_NEEDED, now=now)}
    found = [health.issue_of(probe) for probe in probes.values() if not probe.is_ok]
    has_database = probes["database"].is_ok
    if has_database:
        found += syncing.overdue(now)
    return {
        "status": health.status_of(found),
        "timestamp": stamp(now),
        "version": version.NUMBER,
        "commit": version.commit(),
        "db_connected": has_database,
        "redis_connected": probes["redis"].is_ok if settings.REDIS_URL else None,
        "issues": [issue.as_dict() for issue in found],
    }
