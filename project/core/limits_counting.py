"""Counts requests exactly: in Redis for all processes, in this one's memory while Redis is away."""

import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.storage import MovingWindowSupport, RedisStorage, Storage
from limits.strategies import MovingWindowRateLimiter
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from project.core import buckets
from project.core.buckets import Bucket, Buckets
from project.core.limits import Rule, Verdict

logger = logging.getLogger(__name__)
T = TypeVar("T")
#: A Redis that does not answer within this is taken to be away: a request waits for it once.
REDIS_WITHIN_S: Final = 0.12
LOOK_EVERY_S: Final = 1.0
#: Conversations with Redis at once: more would only wait for this process, and seem time-outs.
_AT_ONCE: Final = 8
#: Names in memory beyond which the empty ones are dropped.
_SWEEP_AT: Final = 5_000
_NAMESPACE: Final = "millrace-limit"
#: Buckets have names of their own: a rule that gets a burst begins anew.
_BUCKETS: Final = "millrace-bucket"


class Window(RateLimitItemPerSecond):
    """A limit whose name holds no number: one that staff change goes on with what it counted."""

    def key_for(self, *identifiers: bytes | str | int | float) -> str:
        """Return the name under which requests are counted."""
        return "/".join((_NAMESPACE, *map(str, identifiers)))


class Windows(Storage, MovingWindowSupport):
    """Moving windows in memory.

    Not the one of ``limits``: that keeps every name for ever, starts a thread every 10 ms, and
    drops a lock that somebody may be waiting for.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__(None, wrap_exceptions=False)
        self.clock = clock
        self._entries: dict[str, tuple[int, list[float]]] = {}
        self._lock = threading.Lock()
        self._sweep_at = _SWEEP_AT

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the storage may raise: nothing."""
        return ValueError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count a request where the window has room for it."""
        with self._lock:
            entries = self._live(key, expiry)
            if len(entries) + amount > limit:
                return False
            entries.extend([self.clock()] * amount)
            self._entries[key] = (expiry, entries)
            if len(self._entries) > self._sweep_at:
                self._sweep()
            return True

    def record(self, key: str, expiry: int) -> None:
        """Take over a request that was counted elsewhere, so that a fall-back goes on from it."""
        with self._lock:
            self._entries[key] = (expiry, [*self._live(key, expiry), self.clock()])
            if len(self._entries) > self._sweep_at:
                self._sweep()

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the window's oldest request was, and how many there are."""
        with self._lock:
            entries = self._live(key, expiry)
            return (entries[0] if entries else self.clock()), len(entries)

    def _live(self, key: str, expiry: int) -> list[float]:
        _, entries = self._entries.get(key, (expiry, []))
        gone = bisect_right(entries, self.clock() - expiry)
        if gone:
            del entries[:gone]
        return entries

    def _sweep(self) -> None:
        now = self.clock()
        kept = {
            key: (expiry, entries)
            for key, (expiry, entries) in self._entries.items()
            if entries and entries[-1] > now - expiry
        }
        self._entries = kept
        self._sweep_at = max(_SWEEP_AT, 2 * len(kept))  # each sweep pays for itself

    def reset(self) -> int | None:
        """Forget everything."""
        with self._lock:
            found = len(self._entries)
            self._entries.clear()
            return found

    def clear(self, key: str) -> None:
        """Forget one name."""
        with self._lock:
            self._entries.pop(key, None)

    def check(self) -> bool:
        """Say that it works."""
        return True

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Not used: only moving windows count here."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """Not used: only moving windows count here."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """Not used: only moving windows count here."""
        raise NotImplementedError


class Counter:
    """Counts in Redis; from the first failure on in memory, until a look at Redis succeeds.

    Args:
        redis_url: where Redis is; empty: memory alone.
        clock: seconds since 1970.
        watch: looks at Redis again while it is away; in a thread of its own, so that no request
            waits for a Redis that hangs.
    """

    def __init__(
        self,
        redis_url: str = "",
        *,
        clock: Callable[[], float] = time.time,
        watch: Callable[["Counter"], None] | None = None,
    ) -> None:
        self.clock = clock
        self.memory = Windows(clock)
        self.buckets = Buckets(clock)
        self._here = MovingWindowRateLimiter(self.memory)
        self._shared = MovingWindowRateLimiter(_redis(redis_url)) if redis_url else None
        self._watch = watch or _watch_in_thread
        self._lock = threading.Lock()
        self._at_once = threading.BoundedSemaphore(_AT_ONCE)
        self.is_degraded = False

    def hit(self, rule: Rule, who: str, *, amount: int) -> Verdict:
        """Count a request of ``who`` under ``rule``, of which ``amount`` are allowed."""
        names = (rule.name, who)
        if rule.burst:
            return self._hit_bucket(Bucket(rule.burst_of(amount), amount, rule.per_s), names)
        item = Window(amount, rule.per_s)
        verdict = self._in_redis(lambda shared: self._verdict(shared, item, names))
        if verdict is None:
            return self._verdict(self._here, item, names)
        if verdict.is_allowed:
            self.memory.record(item.key_for(*names), item.get_expiry())
        return verdict

    def _hit_bucket(self, bucket: Bucket, names: tuple[str, str]) -> Verdict:
        name = "/".join((_BUCKETS, *names))
        taken = self._in_redis(lambda shared: buckets.take_shared(_client(shared), name, bucket))
        if taken is None:
            taken = self.buckets.take(name, bucket)
        else:
            self.buckets.take_over(name, taken.full_in_s)
        return Verdict(taken.is_allowed, names[0], bucket.size, taken.left, taken.reset_s)

    def _in_redis(self, count: Callable[[MovingWindowRateLimiter], T]) -> T | None:
        """Count in Redis; None while it is away, or where there is none."""
        if self._shared is None or self.is_degraded:
            return None
        with self._at_once:
            return self._tried(count, self._shared)

    def _tried(
        self, count: Callable[[MovingWindowRateLimiter], T], shared: MovingWindowRateLimiter
    ) -> T | None:
        if self.is_degraded:  # found out while this request waited its turn
            return None
        try:
            return count(shared)
        except (RedisError, OSError) as error:
            self._degrade(error)
            return None

    def _verdict(
        self, limiter: MovingWindowRateLimiter, item: Window, names: tuple[str, str]
    ) -> Verdict:
        is_allowed = limiter.hit(item, *names)
        reset_at, remaining = limiter.get_window_stats(item, *names)
        reset_s = min(max(0.0, reset_at - self.clock()), float(item.get_expiry()))
        left = max(0, remaining) if is_allowed else 0
        return Verdict(is_allowed, names[0], item.amount, left, reset_s)

    def _degrade(self, error: Exception) -> None:
        with self._lock:
            if self.is_degraded:
                return
            self.is_degraded = True
        logger.warning("rate limits are counted per process", extra={"why": repr(error)[:200]})
        self._watch(self)

    def look(self) -> bool:
        """Look whether Redis answers again; where it does, count there from now on."""
        try:
            if self._shared is None or not self._shared.storage.check():
                return False
        except (RedisError, OSError):
            return False
        self.is_degraded = False
        logger.info("rate limits are counted in Redis again")
        return True


def _client(limiter: MovingWindowRateLimiter) -> Any:
    """Return the client of Redis through which a limiter counts."""
    storage: Any = limiter.storage
    return storage.storage


def _redis(url: str) -> RedisStorage:
    options: dict[str, Any] = {
        "socket_timeout": REDIS_WITHIN_S,
        "socket_connect_timeout": REDIS_WITHIN_S,
        "retry": Retry(NoBackoff(), 0),
    }
    return RedisStorage(url, **options)


def _watch_in_thread(counter: Counter) -> None:
    def look() -> None:
        pause = threading.Event()
        while not pause.wait(LOOK_EVERY_S) and not counter.look():
            pass

    threading.Thread(target=look, name="rate-limit-watch", daemon=True).start()


_lock = threading.Lock()
_counters: list[Counter] = []


def here() -> Counter:
    """Return this process's counter."""
    with _lock:
        if not _counters:
            _counters.append(Counter(settings.REDIS_URL))
        return _counters[0]


def forget() -> None:
    """Begin anew, with the settings as they are now: for tests."""
    with _lock:
        _counters.clear()
