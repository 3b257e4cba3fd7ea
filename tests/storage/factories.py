"""Rows of storage, made with what they need and no more."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from project.storage.models import Backup, PoolSample

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
_seconds = iter(range(1_000_000, 2_000_000))


def make_backup(*, days_old: float = 0, file: str = "", **fields: Any) -> Backup:
    """Make a backup's row, and with ``file`` nothing on the disk."""
    made_at = NOW - timedelta(days=days_old)
    facts: dict[str, Any] = {
        "file": file or f"millrace-{uuid.uuid4().hex}.sqlite3.zst",
        "database": "sqlite",
        "made_at": made_at,
        "size_bytes": 10,
        "content_bytes": 100,
        "sha256": "0" * 64,
        "counts": {"note": 1},
        "took_s": 1.0,
        "verified_at": made_at,
    }
    return Backup.objects.create(**{**facts, **fields})


def make_sample(second: int, **fields: Any) -> PoolSample:
    """Make a row of pool statistics."""
    facts: dict[str, Any] = {"process": "here:1", "role": "web", "alias": "default"}
    return PoolSample.objects.create(second=second, **{**facts, **fields})


def make_pool_sample(**fields: Any) -> PoolSample:
    """Make a row of pool statistics of a second of its own."""
    return make_sample(next(_seconds), **fields)
