"""How many requests an address has made, and when that is too many: in windows of real time."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What one address may ask of one exchange.

    Attributes:
        units: how much fits into a window.
        per_s: length of the windows, which follow each other like the exchange's minutes.
        by_weight: count weight as Binance does; else every request is one unit.
        ban_after: refusals in one window after which the address is banned (418); never if None.
        ban_s: length of a ban.
    """

    units: int
    per_s: float = 60.0
    by_weight: bool = False
    ban_after: int | None = None
    ban_s: float = 120.0

    @property
    def interval(self) -> tuple[int, str] | None:
        """The window as Binance writes it, e.g. ``(1, "MINUTE")``; None for parts of a second."""
        if self.per_s % 60 == 0:
            return int(self.per_s // 60), "MINUTE"
        return (int(self.per_s), "SECOND") if self.per_s % 1 == 0 else None


@dataclass(slots=True)
class Count:
    """What one address has done at one exchange."""

    requests: int = 0
    refused: int = 0
    peak_units: int = 0
    window: int = -1
    window_units: int = 0
    window_weight: int = 0
    window_refused: int = 0
    banned_until_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass; ``status`` is 429 or 418 where it may not."""

    used_weight: int
    status: int | None = None
    retry_after_s: int = 0


class Limiter:
    """Counts by exchange and address, and refuses where a limit is set; thread-safe."""

    def __init__(
        self,
        usual: Mapping[str, RateLimit] | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._usual = dict(usual or {})
        self._limits = dict(self._usual)
        self._counts: dict[tuple[str, str], Count] = {}

    def set(self, venue: str, limit: RateLimit | None) -> None:
        """Set the limit of an exchange; None: its usual one, where it has one, holds again."""
        with self._lock:
            found = limit or self._usual.get(venue)
            if found is None:
                self._limits.pop(venue, None)
            else:
                self._limits[venue] = found

    def limit_of(self, venue: str) -> RateLimit | None:
        """Return the limit that holds at an exchange."""
        with self._lock:
            return self._limits.get(venue)

    def reset(self) -> None:
        """Forget all counts; limits stay."""
        with self._lock:
            self._counts.clear()

    def count(self, venue: str, client: str) -> Count:
        """Return what an address has done at an exchange."""
        with self._lock:
            return self._counts.get((venue, client), Count())

    def as_json(self) -> list[dict[str, object]]:
        """Return all counts."""
        with self._lock:
            return [
                {"venue": venue, "client": client, **asdict(count)}
                for (venue, client), count in self._counts.items()
            ]

    def admit(self, venue: str, client: str, *, weight: int) -> Verdict:
        """Count a request and say whether it may pass."""
        with self._lock:
            now_s = self._clock()
            limit = self._limits.get(venue)
            count = self._counts.setdefault((venue, client), Count())
            count.requests += 1
            per_s = limit.per_s if limit else 60.0
            self._enter_window(count, int(now_s // per_s))
            if limit is None:
                count.window_weight += weight
                return Verdict(count.window_weight)
            return self._judged(count, limit, now_s, weight)

    @staticmethod
    def _enter_window(count: Count, window: int) -> None:
        if count.window != window:
            count.window = window
            count.window_units = count.window_weight = count.window_refused = 0

    @staticmethod
    def _judged(count: Count, limit: RateLimit, now_s: float, weight: int) -> Verdict:
        if now_s < count.banned_until_s:
            count.refused += 1
            return Verdict(count.window_weight, 418, int(count.banned_until_s - now_s) + 1)
        units = weight if limit.by_weight else 1
        if count.window_units + units <= limit.units:
            count.window_units += units
            count.window_weight += weight
            count.peak_units = max(count.peak_units, count.window_units)
            return Verdict(count.window_weight)
        count.refused += 1
        count.window_refused += 1
        if limit.ban_after is not None and count.window_refused > limit.ban_after:
            count.banned_until_s = now_s + limit.ban_s
            return Verdict(count.window_weight, 418, int(limit.ban_s) + 1)
        left_s = (count.window + 1) * limit.per_s - now_s
        return Verdict(count.window_weight, 429, int(left_s) + 1)
