"""Who asked what, when, and what was answered."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

MOST_ENTRIES = 20_000
KEPT_HEADERS = frozenset(
    {"host", "user-agent", "via", "x-forwarded-for", "forwarded", "proxy-connection", "accept"}
)
"""Headers worth keeping: those that tell a proxy; never credentials."""


@dataclass(slots=True)
class LogEntry:
    """One request; ``status`` is None until it is answered, and for one that never was."""

    number: int
    at_ms: int
    method: str
    path: str
    query: Mapping[str, str]
    client: str
    venue: str | None = None
    symbol: str | None = None
    timeframe: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secure: bool = False
    market_ms: int | None = None
    status: int | None = None
    fault: str | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries to return; what is left out matches everything."""

    path: str | None = None
    client: str | None = None
    venue: str | None = None
    symbol: str | None = None
    status: int | None = None
    after: int = 0

    def matches(self, entry: LogEntry) -> bool:
        """Say whether an entry is wanted."""
        return (
            entry.number > self.after
            and self.path in (None, entry.path)
            and self.client in (None, entry.client)
            and self.venue in (None, entry.venue)
            and self.symbol in (None, entry.symbol)
            and self.status in (None, entry.status)
        )


class RequestLog:
    """The last 20,000 requests; usable from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: deque[LogEntry] = deque(maxlen=MOST_ENTRIES)
        self._last_number = 0

    def next_number(self) -> int:
        """Return the number of the next entry."""
        with self._changed:
            self._last_number += 1
            return self._last_number

    def add(self, entry: LogEntry) -> None:
        """Note a request that has just arrived."""
        with self._changed:
            self._entries.append(entry)
            self._changed.notify_all()

    def entries(self, wanted: Wanted | None = None) -> list[LogEntry]:
        """Return the wanted entries, oldest first."""
        asked = wanted or Wanted()
        with self._changed:
            return [entry for entry in self._entries if asked.matches(entry)]

    def clients(self, wanted: Wanted | None = None) -> set[str]:
        """Return the addresses that the wanted requests came from."""
        return {entry.client for entry in self.entries(wanted)}

    def wait_for(self, count: int, *, wanted: Wanted | None = None, at_most_s: float = 5.0) -> bool:
        """Block until ``count`` wanted requests have arrived; False when they don't in time."""
        asked = wanted or Wanted()
        with self._changed:
            return self._changed.wait_for(
                lambda: sum(map(asked.matches, self._entries)) >= count, timeout=at_most_s
            )

    def clear(self) -> None:
        """Forget all entries; numbers go on."""
        with self._changed:
            self._entries.clear()

    def as_json(self, wanted: Wanted | None = None) -> list[dict[str, object]]:
        """Return the wanted entries as JSON objects, oldest first."""
        return [asdict(entry) for entry in self.entries(wanted)]
