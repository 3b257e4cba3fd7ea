"""Decides what is wrong with a database, from a series of snapshots: a name, a reason, a remedy.

Rules are pure functions. They stand in the order of causes: a leak empties the pool, so it is
named before the empty pool. ``README.md`` lists the faults they were tested against.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from project.db.findings import Finding, Healing, Severity
from project.db.recording import ErrorKind, Event
from project.db.statistics import PoolStatistics

MEGABYTE: Final = 1 << 20
#: A state counts when so many snapshots in a row show it.
LASTING: Final = 3
WORST_ERROR_RATE: Final = 0.01
_LEAST_USES: Final = 20
_LEAST_ERRORS: Final = 3
_SLOW_WRITE_S: Final = 0.5
_SLOW_TURN_S: Final = 1.0
_STUCK_WRITE_S: Final = 5.0
_SLOW_USE_S: Final = 2.0
_SLOW_CHECK_OUT_S: Final = 0.25
_LARGE_WAL_BYTES: Final = 128 * MEGABYTE  # twice the journal_size_limit of the settings
_LONG_READ_S: Final = 10.0
_LITTLE_ROOM_BYTES: Final = 1024 * MEGABYTE
_NO_ROOM_BYTES: Final = 64 * MEGABYTE
_LITTLE_ROOM_SHARE: Final = 0.1
_SOON_FULL_S: Final = 6 * 3600.0
_LEAST_TREND_S: Final = 15.0
_BROKEN_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Series:
    """Snapshots of one pool, oldest first, and what changed between them."""

    snapshots: Sequence[PoolStatistics]

    @property
    def last(self) -> PoolStatistics:
        return self.snapshots[-1]

    @property
    def first(self) -> PoolStatistics:
        return self.snapshots[0]

    @property
    def uses(self) -> int:
        return self.last.uses - self.first.uses

    def errors(self, *kinds: ErrorKind) -> int:
        """Return how many errors of ``kinds`` (all, where none is named) were added."""
        chosen = kinds or tuple(ErrorKind)
        return sum(self.last.errors.get(k, 0) - self.first.errors.get(k, 0) for k in chosen)

    def events(self, event: Event) -> int:
        return self.last.events.get(event, 0) - self.first.events.get(event, 0)

    def lasts(self, holds: Callable[[PoolStatistics], bool]) -> bool:
        """Say whether the last few snapshots all show something."""
        recent = self.snapshots[-LASTING:]
        return len(recent) == LASTING and all(holds(snapshot) for snapshot in recent)


def diagnose(snapshots: Sequence[PoolStatistics]) -> list[Finding]:
    """Return what the series shows, causes before their effects; nothing for a healthy one.

    Args:
        snapshots: of one pool in one process, oldest first, about a second apart.
    """
    if not snapshots:
        return []
    series = _Series(snapshots)
    return [finding for rule in RULES if (finding := rule(series)) is not None]


def _file_damaged(series: _Series) -> Finding | None:
    if not series.errors(ErrorKind.CORRUPT):
        return None
    return Finding(
        "file_damaged",
        Severity.ERROR,
        f"The database file is damaged: {series.last.last_error}",
        "Stop writing, keep a copy of the file, restore the last good backup.",
    )


def _disk_full(series: _Series) -> Finding | None:
    disk = series.last.disk
    is_full = disk.total_bytes > 0 and disk.free_bytes < _NO_ROOM_BYTES
    if not is_full and not series.errors(ErrorKind.FULL):
        return None
    return Finding(
        "disk_full",
        Severity.ERROR,
        f"There is no room to write: {disk.free_bytes // MEGABYTE:,} MB are free.",
        "Make room on the disk of the database; writes go on by themselves.",
    )


def _disk_failing(series: _Series) -> Finding | None:
    if not series.errors(ErrorKind.IO):
        return None
    return Finding(
        "disk_failing",
        Severity.ERROR,
        f"Reading or writing the file failed: {series.last.last_error}",
        "Look at the system's log and the disk; take a backup now.",
    )


def _cannot_connect(series: _Series) -> Finding | None:
    failed = series.errors(ErrorKind.CONNECT)
    if not failed:
        return None
    return Finding(
        "cannot_connect",
        Severity.ERROR,
        f"{failed} connection(s) could not be opened or broke off: {series.last.last_error}",
        "Free connections are replaced; see that the server or the file is there and may be read.",
        Healing.RECYCLE,
    )


def _slow_writer(series: _Series) -> Finding | None:
    last = series.last
    stuck = last.writer if last.writer and last.writer.held_s >= _STUCK_WRITE_S else None
    is_slow = last.write.p95_s >= _SLOW_WRITE_S or last.write_wait.p95_s >= _SLOW_TURN_S
    if stuck is None and not is_slow:
        return None
    if stuck is not None:
        place, text = stuck.place, f"{stuck.place} has been writing for {stuck.held_s:.1f} s"
    else:
        place = last.writer.place if last.writer else ""
        text = (
            f"write transactions last {last.write.p95_s:.2f} s and wait "
            f"{last.write_wait.p95_s:.2f} s for their turn (P95)"
        )
    return Finding(
        "slow_writer",
        Severity.ERROR if stuck else Severity.WARNING,
        f"{text}; {last.writers_waiting} writer(s) wait.",
        "Keep network calls and long calculations out of atomic(); write in smaller portions.",
        place=place,
    )


def _leak(series: _Series) -> Finding | None:
    leaks = series.last.leaks
    if not leaks:
        return None
    place, count = Counter(leak.place for leak in leaks).most_common(1)[0]
    return Finding(
        "leak",
        Severity.ERROR if len(leaks) * 2 >= series.last.max_size else Severity.WARNING,
        f"{len(leaks)} connection(s) are not given back; {count} taken at {place}, the longest "
        f"{leaks[0].held_s:.0f} s ago by {leaks[0].thread}.",
        "Close the connection there when the work is done, or before streaming begins.",
        place=place,
    )


def _abandoned(series: _Series) -> Finding | None:
    count = series.events(Event.ABANDONED)
    if not count:
        return None
    return Finding(
        "abandoned",
        Severity.WARNING,
        f"{count} thread(s) ended without giving their connection back.",
        "They were taken back; call connections.close_all() at the end of a thread.",
    )


def _wal_pinned(series: _Series) -> Finding | None:
    last = series.last
    if last.disk.wal_bytes < _LARGE_WAL_BYTES or last.oldest is None:
        return None
    if last.oldest.held_s < _LONG_READ_S:
        return None
    return Finding(
        "wal_pinned",
        Severity.WARNING,
        f"The WAL has {last.disk.wal_bytes // MEGABYTE:,} MB and can't be folded in while "
        f"{last.oldest.place} reads, for {last.oldest.held_s:.0f} s now.",
        "Let the read end: fetch its rows in portions by key instead of one long iterator.",
        Healing.CHECKPOINT,
        place=last.oldest.place,
    )


def _wal_growing(series: _Series) -> Finding | None:
    first, last = series.first.disk.wal_bytes, series.last.disk.wal_bytes
    is_pinned = _wal_pinned(series) is not None
    if is_pinned or last < _LARGE_WAL_BYTES or last < first:
        return None
    return Finding(
        "wal_growing",
        Severity.WARNING,
        f"The WAL has grown to {last // MEGABYTE:,} MB.",
        "A checkpoint is made; if it stays large, another process reads without end.",
        Healing.CHECKPOINT,
    )


def _exhausted(series: _Series) -> Finding | None:
    def is_empty(snapshot: PoolStatistics) -> bool:
        return snapshot.waiting > 0 and 0 < snapshot.max_size <= snapshot.in_use

    timeouts = series.errors(ErrorKind.TIMEOUT)
    if not timeouts and not series.lasts(is_empty):
        return None
    last = series.last
    longest = f"; held longest by {last.oldest.place}" if last.oldest else ""
    return Finding(
        "exhausted",
        Severity.ERROR if timeouts else Severity.WARNING,
        f"All {last.max_size} connections are in use, {last.waiting} request(s) wait and "
        f"{timeouts} gave up{longest}.",
        "Shorten what holds connections, or start another process; a larger pool is the last choice.",
        place=last.oldest.place if last.oldest else "",
    )


def _starved(series: _Series) -> Finding | None:
    def is_starved(snapshot: PoolStatistics) -> bool:
        has_room = snapshot.in_use < snapshot.max_size
        return snapshot.waiting > 0 and has_room and snapshot.wait.p95_s >= _SLOW_CHECK_OUT_S

    if not series.lasts(is_starved):
        return None
    return Finding(
        "starved",
        Severity.WARNING,
        f"Requests wait {series.last.wait.p95_s:.2f} s (P95) although the pool could grow from "
        f"{series.last.size} to {series.last.max_size}.",
        "The pool is told to grow; if nothing changes, the processor is the limit: add a process.",
        Healing.GROW,
    )


def _deadlock(series: _Series) -> Finding | None:
    count = series.errors(ErrorKind.DEADLOCK)
    if not count:
        return None
    return Finding(
        "deadlock",
        Severity.ERROR,
        f"{count} transaction(s) waited for each other, or for themselves: "
        f"{series.last.last_error}",
        "Lock rows in one order; begin with the write where a transaction reads first; use one "
        "alias per database in a thread.",
    )


def _locked_out(series: _Series) -> Finding | None:
    count = series.errors(ErrorKind.BUSY)
    if not count:
        return None
    return Finding(
        "locked_out",
        Severity.ERROR,
        f"{count} statement(s) found the database locked until their time limit: "
        f"{series.last.last_error}",
        "Look for another program that has the database open (a shell, a copy job), or a lock "
        "held too long.",
    )


def _slow_uses(series: _Series) -> Finding | None:
    last = series.last
    if last.use.count < _LEAST_USES or last.use.p95_s < _SLOW_USE_S:
        return None
    return Finding(
        "slow_uses",
        Severity.WARNING,
        f"A connection is held for {last.use.p95_s:.1f} s (P95)"
        + (f", the longest now at {last.oldest.place}." if last.oldest else "."),
        "Look for slow queries, and for requests that wait for others while they hold one.",
        place=last.oldest.place if last.oldest else "",
    )


def _unstable(series: _Series) -> Finding | None:
    broken = series.events(Event.BROKEN)
    if broken < _LEAST_ERRORS or broken < _BROKEN_SHARE * series.uses:
        return None
    return Finding(
        "unstable",
        Severity.WARNING,
        f"{broken} of {series.uses} connections came back closed or altered.",
        "They are replaced; look for code that closes the raw connection, attaches files or sets "
        "PRAGMAs.",
        Healing.RECYCLE,
    )


def _replaced(series: _Series) -> Finding | None:
    if not series.events(Event.REPLACED):
        return None
    return Finding(
        "file_replaced",
        Severity.NOTICE,
        "The database file was replaced under the pool.",
        "Every connection is opened anew; nothing to do if this was a restore.",
    )


def _error_rate(series: _Series) -> Finding | None:
    errors, uses = series.errors(), series.uses
    if uses < _LEAST_USES or errors < _LEAST_ERRORS or errors <= WORST_ERROR_RATE * uses:
        return None
    return Finding(
        "error_rate",
        Severity.ERROR,
        f"{errors / uses:.1%} of {uses} uses failed, the last with: {series.last.last_error}",
        "See the findings above for the cause.",
    )


def _disk_filling(series: _Series) -> Finding | None:
    disk = series.last.disk
    if disk.total_bytes == 0 or disk.free_bytes < _NO_ROOM_BYTES:
        return None
    share = disk.free_bytes / disk.total_bytes
    left_s = _full_in_s(series)
    is_low = disk.free_bytes < _LITTLE_ROOM_BYTES or share < _LITTLE_ROOM_SHARE
    if not is_low and left_s > _SOON_FULL_S:
        return None
    soon = f"; at this pace it is full in {left_s / 3600:.1f} h" if left_s < _SOON_FULL_S else ""
    return Finding(
        "disk_filling",
        Severity.WARNING,
        f"{disk.free_bytes // MEGABYTE:,} MB ({share:.0%}) are free{soon}.",
        "Make room, or move DATA_DIR to a larger disk.",
    )


def _full_in_s(series: _Series) -> float:
    """Return when the disk is full at the pace of the series, or of its later half if that is slower.

    A burst, as of a start or of a neighbour's download, is no pace: it is over in the later half.
    """
    middle = series.snapshots[len(series.snapshots) // 2]
    return max(_full_since_s(series.first, series.last), _full_since_s(middle, series.last))


def _full_since_s(then: PoolStatistics, last: PoolStatistics) -> float:
    passed_s = (last.at - then.at).total_seconds()
    eaten = then.disk.free_bytes - last.disk.free_bytes
    if passed_s < _LEAST_TREND_S or eaten <= 0 or then.disk.total_bytes == 0:
        return float("inf")
    return last.disk.free_bytes / (eaten / passed_s)


def _old_library(series: _Series) -> Finding | None:
    if series.last.is_library_fixed:
        return None
    return Finding(
        "old_library",
        Severity.WARNING,
        f"SQLite {series.last.library} can corrupt a database when its WAL is reset.",
        "Install pysqlite3 (requirements.txt), which brings a SQLite without that bug.",
    )


RULES: Final[tuple[Callable[[_Series], Finding | None], ...]] = (
    _file_damaged,
    _disk_full,
    _disk_failing,
    _cannot_connect,
    _abandoned,
    _slow_writer,
    _leak,
    _wal_pinned,
    _wal_growing,
    _deadlock,
    _locked_out,
    _slow_uses,
    _exhausted,
    _starved,
    _unstable,
    _replaced,
    _error_rate,
    _disk_filling,
    _old_library,
)
