"""Decides what a pool tells of itself: one snapshot, the same for SQLite and PostgreSQL."""

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from project.db import library
from project.db.places import Place
from project.db.recording import ErrorKind, Event, Quantiles, Recorder

#: Percentiles are made of what ended within this time (or of the last 4,096 uses).
WINDOW_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Holder:
    """A connection, or the turn to write, that somebody holds."""

    place: str
    thread: str
    held_s: float

    @classmethod
    def of(cls, place: Place | None, *, thread: str, held_s: float) -> "Holder":
        """Make a holder; a place is unknown where statistics are off."""
        return cls(str(place) if place else "unknown", thread, held_s)


@dataclass(frozen=True, slots=True)
class Disk:
    """The files of a database and the room for them; zeros where they are not here."""

    database_bytes: int = 0
    wal_bytes: int = 0
    free_bytes: int = 0
    total_bytes: int = 0


NO_DISK: Final = Disk()
NO_QUANTILES: Final = Quantiles()


@dataclass(frozen=True, slots=True)
class PoolState:
    """What an engine knows of its pool."""

    vendor: str
    min_size: int
    max_size: int
    size: int
    in_use: int
    idle: int
    waiting: int
    recorder: Recorder
    leak_after_s: float
    holders: tuple[Holder, ...] = ()
    writer: Holder | None = None
    writers_waiting: int = 0
    disk: Disk = NO_DISK


@runtime_checkable
class Pooled(Protocol):
    """A database wrapper that has a pool."""

    def pool_state(self) -> PoolState | None:
        """Return the state of its pool in this process, or nothing where it has none."""


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """One pool at one moment; durations are in seconds, counts are since the process started."""

    alias: str
    vendor: str
    at: datetime
    process: int
    min_size: int = 0
    max_size: int = 0
    size: int = 0
    in_use: int = 0
    idle: int = 0
    waiting: int = 0
    writers_waiting: int = 0
    wait: Quantiles = NO_QUANTILES
    use: Quantiles = NO_QUANTILES
    write_wait: Quantiles = NO_QUANTILES
    write: Quantiles = NO_QUANTILES
    errors: Mapping[ErrorKind, int] = field(default_factory=dict)
    events: Mapping[Event, int] = field(default_factory=dict)
    last_error: str = ""
    #: Connections held longer than the pool's ``leak_after``, the longest held first.
    leaks: tuple[Holder, ...] = ()
    #: The connection that has been held longest, however short that is.
    oldest: Holder | None = None
    writer: Holder | None = None
    disk: Disk = NO_DISK
    library: str = ""
    is_library_fixed: bool = True

    @property
    def uses(self) -> int:
        """Return how many check-outs have ended."""
        return self.events.get(Event.USED, 0)

    @property
    def errors_total(self) -> int:
        """Return how many errors of any kind there were."""
        return sum(self.errors.values())

    def figures(self) -> dict[str, float]:
        """Return every number under its flat name, for metrics and rows."""
        found: dict[str, float] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, int) and not isinstance(value, bool):
                found[item.name] = value
            elif isinstance(value, Quantiles):
                found |= {
                    f"{item.name}_p50_seconds": value.p50_s,
                    f"{item.name}_p95_seconds": value.p95_s,
                    f"{item.name}_p99_seconds": value.p99_s,
                }
        found |= {f"errors_{kind}_total": self.errors.get(kind, 0) for kind in ErrorKind}
        found |= {f"{event}_total": self.events.get(event, 0) for event in Event}
        found["oldest_use_seconds"] = self.oldest.held_s if self.oldest else 0.0
        found["oldest_write_seconds"] = self.writer.held_s if self.writer else 0.0
        return found | {name: getattr(self.disk, name) for name in _DISK_NAMES}


_DISK_NAMES: Final = tuple(item.name for item in fields(Disk))


def snapshot(alias: str = DEFAULT_DB_ALIAS, *, window_s: float = WINDOW_S) -> PoolStatistics:
    """Return the statistics of this process's pool for ``alias``.

    It opens no connection and takes a tenth of a millisecond; call it each second. A database
    without a pool (in memory, or Django's own engine) gives zeros.

    Args:
        alias: which database of ``DATABASES``.
        window_s: percentiles are made of what ended within this time.
    """
    wrapper: Any = connections[alias]
    now = timezone.now()
    state = wrapper.pool_state() if isinstance(wrapper, Pooled) else None
    if state is None:
        return PoolStatistics(alias, wrapper.vendor, now, os.getpid())
    since_s = time.monotonic() - window_s
    wait, use = state.recorder.uses(since_s=since_s)
    write_wait, write = state.recorder.writes(since_s=since_s)
    is_sqlite = state.vendor == "sqlite"
    return PoolStatistics(
        alias=alias,
        vendor=state.vendor,
        at=now,
        process=os.getpid(),
        min_size=state.min_size,
        max_size=state.max_size,
        size=state.size,
        in_use=state.in_use,
        idle=state.idle,
        waiting=state.waiting,
        writers_waiting=state.writers_waiting,
        wait=wait,
        use=use,
        write_wait=write_wait,
        write=write,
        errors=dict(state.recorder.errors),
        events=dict(state.recorder.events),
        last_error=state.recorder.last_error(),
        leaks=tuple(holder for holder in state.holders if holder.held_s >= state.leak_after_s),
        oldest=state.holders[0] if state.holders else None,
        writer=state.writer,
        disk=state.disk,
        library=library.version() if is_sqlite else "",
        is_library_fixed=library.is_fixed() if is_sqlite else True,
    )


def disk_of(path: str) -> Disk:
    """Return the sizes of the SQLite database at ``path`` and the room beside it."""
    try:
        usage = shutil.disk_usage(Path(path).parent)
    except OSError:
        return Disk()
    return Disk(
        database_bytes=_size_of(path),
        wal_bytes=_size_of(f"{path}-wal"),
        free_bytes=usage.free,
        total_bytes=usage.total,
    )


def _size_of(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
