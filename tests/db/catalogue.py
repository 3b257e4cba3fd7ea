"""The written catalogue of faults: what goes wrong, what it looks like, what it must be called.

Each fault is a series of snapshots as ``project.db.watching`` takes them, a second apart. Those
marked as provoked also happen for real in ``test_faults.py``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from project.db.recording import ErrorKind, Event, Quantiles
from project.db.statistics import Disk, Holder, PoolStatistics

MB = 1 << 20
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HEALTHY = PoolStatistics(
    alias="default",
    vendor="sqlite",
    at=NOON,
    process=1,
    min_size=2,
    max_size=20,
    size=4,
    in_use=2,
    idle=2,
    wait=Quantiles(0.001, 0.01, 0.02, 500),
    use=Quantiles(0.002, 0.01, 0.03, 500),
    write_wait=Quantiles(0.0, 0.005, 0.01, 100),
    write=Quantiles(0.001, 0.002, 0.004, 100),
    errors={},
    events={Event.USED: 10_000},
    oldest=Holder("proxies/leasing.py:40", "web-1", 0.01),
    disk=Disk(500 * MB, 4 * MB, 50_000 * MB, 100_000 * MB),
    library="3.53.4",
)

Change = Callable[[int, PoolStatistics], dict[str, Any]]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    text: str
    name: str
    change: Change
    seconds: int = 10
    is_provoked: bool = False

    def series(self) -> list[PoolStatistics]:
        """Return what is seen of it."""
        return [_at(second, self.change) for second in range(self.seconds)]


def _at(second: int, change: Change) -> PoolStatistics:
    base = replace(
        HEALTHY,
        at=NOON + timedelta(seconds=second),
        events={**HEALTHY.events, Event.USED: 10_000 + 500 * second},
    )
    return replace(base, **change(second, base))


def still(**changes: Any) -> Change:
    """The same in every snapshot."""
    return lambda _second, _base: changes


def errors(kind: ErrorKind, *, each: float, text: str = "it failed") -> Change:
    """Errors of one kind, so many each second."""
    return lambda second, _base: {"errors": {kind: int(each * second)}, "last_error": text}


def events(event: Event, *, each: float) -> Change:
    """Something counted, so many each second."""
    return lambda second, base: {"events": {**base.events, event: int(each * second)}}


def disk(**changes: Any) -> Change:
    """Another disk in every snapshot."""
    return still(disk=replace(HEALTHY.disk, **changes))


def both(*changes: Change) -> Change:
    """Several at once."""
    return lambda second, base: {k: v for each in changes for k, v in each(second, base).items()}


def held(place: str, *, seconds: float) -> Holder:
    """Somebody who holds something."""
    return Holder(place, "worker-1", seconds)


EMPTY = {"size": 20, "in_use": 20, "idle": 0, "waiting": 5}
LEAK = held("analysis/streaming.py:12", seconds=90)

FAULTS = (
    Fault("a byte of the file flipped", "file_damaged", errors(ErrorKind.CORRUPT, each=1, text="database disk image is malformed")),
    Fault("the file is overwritten by something else", "file_damaged", errors(ErrorKind.CORRUPT, each=0.2, text="file is not a database"), is_provoked=True),
    Fault("the disk is full and writes fail", "disk_full", both(errors(ErrorKind.FULL, each=5, text="database or disk is full"), disk(free_bytes=0)), is_provoked=True),
    Fault("a quota is full though the disk isn't", "disk_full", errors(ErrorKind.FULL, each=1)),
    Fault("the disk is about full, nothing has failed yet", "disk_full", disk(free_bytes=10 * MB)),
    Fault("the disk gives input and output errors", "disk_failing", errors(ErrorKind.IO, each=1, text="disk I/O error")),
    Fault("the folder of the database is gone", "cannot_connect", errors(ErrorKind.CONNECT, each=10, text="unable to open database file"), is_provoked=True),
    Fault("raw connections are closed behind the pool", "cannot_connect", errors(ErrorKind.CONNECT, each=2, text="Cannot operate on a closed database."), is_provoked=True),
    Fault("the PostgreSQL server is away", "cannot_connect", both(still(vendor="postgresql"), errors(ErrorKind.CONNECT, each=3)), is_provoked=True),
    Fault("threads end without closing", "abandoned", events(Event.ABANDONED, each=0.3), is_provoked=True),
    Fault("a transaction makes a network call", "slow_writer", still(writer=held("markets/collecting.py:88", seconds=8), writers_waiting=4), is_provoked=True),
    Fault("every write is slow", "slow_writer", still(write=Quantiles(0.3, 0.9, 1.5, 50))),
    Fault("writers queue for seconds", "slow_writer", still(write_wait=Quantiles(0.5, 2.5, 4.0, 50), writers_waiting=9)),
    Fault("one stream forgot its connection", "leak", still(leaks=(LEAK,), oldest=LEAK), is_provoked=True),
    Fault("nineteen streams forgot theirs", "leak", still(**{**EMPTY, "in_use": 19, "waiting": 0}, leaks=(LEAK,) * 19, oldest=LEAK), is_provoked=True),
    Fault("leaks have emptied the pool", "leak", both(still(**EMPTY, leaks=(LEAK,) * 20, oldest=LEAK), errors(ErrorKind.TIMEOUT, each=2))),
    Fault("an endless reader holds the WAL", "wal_pinned", both(disk(wal_bytes=400 * MB), still(oldest=held("markets/api/export.py:9", seconds=45))), is_provoked=True),
    Fault("the WAL grows without a reader here", "wal_growing", lambda second, _base: {"disk": replace(HEALTHY.disk, wal_bytes=(150 + 10 * second) * MB)}, is_provoked=True),
    Fault("the WAL stays large after a bulk load", "wal_growing", disk(wal_bytes=800 * MB)),
    Fault("two rows locked in two orders", "deadlock", both(still(vendor="postgresql"), errors(ErrorKind.DEADLOCK, each=0.5, text="deadlock detected")), is_provoked=True),
    Fault("a read transaction turned into a write", "deadlock", errors(ErrorKind.DEADLOCK, each=1, text="database is locked"), is_provoked=True),
    Fault("two aliases on one file in one thread", "deadlock", errors(ErrorKind.DEADLOCK, each=0.2, text="this thread already writes"), is_provoked=True),
    Fault("a shell holds the database locked", "locked_out", errors(ErrorKind.BUSY, each=0.2, text="database is locked"), is_provoked=True),
    Fault("a lock held past its time limit", "locked_out", both(still(vendor="postgresql"), errors(ErrorKind.BUSY, each=0.5, text="lock timeout"))),
    Fault("slow queries everywhere", "slow_uses", still(use=Quantiles(1.0, 4.0, 9.0, 200))),
    Fault("slow queries have emptied the pool", "slow_uses", still(**EMPTY, use=Quantiles(1.0, 4.0, 9.0, 200))),
    Fault("more requests than connections", "exhausted", still(**EMPTY), is_provoked=True),
    Fault("requests give up waiting", "exhausted", both(still(**EMPTY), errors(ErrorKind.TIMEOUT, each=3)), is_provoked=True),
    Fault("requests gave up just before", "exhausted", errors(ErrorKind.TIMEOUT, each=0.2)),
    Fault("PostgreSQL's pool is empty", "exhausted", still(**EMPTY, vendor="postgresql"), is_provoked=True),
    Fault("the pool does not grow though it may", "starved", still(waiting=6, wait=Quantiles(0.2, 0.6, 0.9, 90))),
    Fault("code sets PRAGMAs on its connections", "unstable", events(Event.BROKEN, each=60), is_provoked=True),
    Fault("code closes raw connections", "unstable", events(Event.BROKEN, each=400)),
    Fault("a restore replaced the file", "file_replaced", lambda second, base: {"events": {**base.events, Event.REPLACED: int(second > 4)}}, is_provoked=True),
    Fault("a migration was not applied", "error_rate", errors(ErrorKind.STATEMENT, each=40, text="no such table: runs_run"), is_provoked=True),
    Fault("two of a hundred statements are wrong", "error_rate", errors(ErrorKind.STATEMENT, each=10, text="no such column")),
    Fault("the disk has little left", "disk_filling", disk(free_bytes=600 * MB, total_bytes=5_000 * MB)),
    Fault("nine of ten parts of the disk are used", "disk_filling", disk(free_bytes=6_000 * MB)),
    Fault("the disk is full in an hour", "disk_filling", lambda second, _base: {"disk": replace(HEALTHY.disk, free_bytes=(50_000 - 14 * second) * MB)}, seconds=40),
    Fault("an old SQLite", "old_library", still(library="3.40.1", is_library_fixed=False), is_provoked=True),
)  # fmt: skip

#: What must give no finding at all.
HEALTHY_SERIES = {
    "calm": still(),
    "idle": still(in_use=0, idle=2, size=2, oldest=None),
    "a short rush": lambda second, _base: EMPTY if second == 8 else {},
    "busy but served": still(in_use=20, idle=0, size=20, waiting=0),
    "waiting a moment": still(waiting=20, in_use=2, size=2),
    "old errors": still(errors={ErrorKind.BUSY: 7, ErrorKind.TIMEOUT: 3}),
    "a few wrong statements": errors(ErrorKind.STATEMENT, each=2),
    "one broken connection": events(Event.BROKEN, each=0.15),
    "a WAL within its limit": disk(wal_bytes=64 * MB),
    "PostgreSQL, whose disk isn't here": still(vendor="postgresql", disk=Disk(), library=""),
    "a start that wrote 400 MB": lambda second, _base: {
        "disk": replace(HEALTHY.disk, free_bytes=(50_000 - 80 * min(second, 5)) * MB)
    },
    "a disk that breathes": lambda second, _base: {
        "disk": replace(HEALTHY.disk, free_bytes=(50_000 + second % 3) * MB)
    },
}
