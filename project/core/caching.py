"""Where cached values lie: in Redis for all processes; while it is away, in this one's memory.

What is cached may vanish at any moment. Locks, leases, quotas and rate limits never lie here.
Values are plain JSON, in memory too: whoever may write to Redis runs no code of ours by it.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCacheClient
from prometheus_client import Counter, Gauge
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from project.core import issues
from project.core.issues import AMBER, Issue

logger = logging.getLogger(__name__)
T = TypeVar("T")
#: A Redis that does not answer within this is taken to be away: a request waits for it once.
REDIS_WITHIN_S: Final = 0.25
LOOK_EVERY_S: Final = 1.0
#: What a process keeps while Redis is away; what was read longest ago goes first.
MOST_IN_MEMORY: Final = 10_000
#: Changes that Redis has not heard of, beyond which all cached values are dropped instead.
MOST_OWED: Final = 10_000
_AWAY: Final = (RedisError, OSError)
#: Begins each name in Redis, where rate limits and the broker lie beside.
PREFIX: Final = "cache"

REQUESTS: Final = Counter(
    "cache_requests", "Values asked of the cache, by where and how it came out", ["place", "result"]
)
FALLBACKS: Final = Counter("cache_fallbacks", "Times that a process lost Redis as its cache")
DEGRADED: Final = Gauge(
    "cache_degraded", "1 while a process caches in its own memory", multiprocess_mode="livemax"
)


class Json:
    """How values look in the cache; whole numbers stay numbers, so that Redis can add to them."""

    def dumps(self, value: Any) -> Any:
        """Write ``value`` down; TypeError for what is no plain JSON."""
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: Any) -> Any:
        """Read what ``dumps`` wrote."""
        return json.loads(data)


class Memory(LocMemCache):
    """What a process keeps by itself."""

    def validate_key(self, key: str) -> None:
        """Take any key: only memcached is particular about them."""


def _watch_in_thread(place: "Place") -> None:
    def look() -> None:
        pause = threading.Event()
        while not pause.wait(LOOK_EVERY_S) and not place.look():
            pass

    threading.Thread(target=look, name="cache-watch", daemon=True).start()


class Place:
    """One Redis as this process sees it: there, or away since the first failure.

    While it is away each change is remembered by name, and those names are dropped from Redis
    before it counts again: it may come back with the values that it had.

    Args:
        server: its URL; empty: there is none, and never will be.
        watch: looks at it again while it is away; in a thread of its own, so that no request
            waits for a Redis that hangs.
    """

    def __init__(self, server: str, *, watch: Callable[["Place"], None] = _watch_in_thread) -> None:
        self.client = _client(server) if server else None
        self.memory = Memory(f"{id(self)}", {"OPTIONS": {"MAX_ENTRIES": MOST_IN_MEMORY}})
        self.is_degraded = False
        self._watch = watch
        self._lock = threading.Lock()
        self._owed: set[str] = set()
        self._owes_all = False

    @property
    def is_shared(self) -> bool:
        """Whether values lie where all processes see them."""
        return self.client is not None and not self.is_degraded

    def run(
        self,
        in_redis: Callable[[Any], T],
        otherwise: Callable[[], T],
        *,
        changes: Iterable[str] | None = (),
    ) -> T:
        """Ask Redis; while it is away do ``otherwise``, and remember what it changes.

        Args:
            in_redis: what to do there.
            otherwise: what to do while it is away.
            changes: names of the values that it changes; None: all.
        """
        if self.client is None:
            return otherwise()
        while True:
            if not self.is_degraded:
                try:
                    return in_redis(self.client)
                except _AWAY as error:
                    self._degrade(error)
            with self._lock:
                if self.is_degraded:  # else it came back just now, and must hear of the change
                    self._owe(changes)
                    return otherwise()

    def _owe(self, names: Iterable[str] | None) -> None:
        self._owed.update(names or ())
        if names is None or len(self._owed) > MOST_OWED:
            self._owed, self._owes_all = set(), True

    def _degrade(self, error: Exception) -> None:
        with self._lock:
            if self.is_degraded:
                return
            self.memory.clear()
            self.is_degraded = True
        FALLBACKS.inc()
        DEGRADED.set(1)
        logger.warning("values are cached per process", extra={"why": repr(error)[:200]})
        self._watch(self)

    def look(self) -> bool:
        """Look whether Redis answers again; where it does, drop what it missed and use it."""
        try:
            while not self._settled():
                pass
        except _AWAY:
            return False
        DEGRADED.set(0)
        logger.info("values are cached in Redis again")
        return True

    def _settled(self) -> bool:
        """Tell Redis what it missed; True when nothing was added meanwhile."""
        with self._lock:
            owed, owes_all = set(self._owed), self._owes_all
        redis = self.client.get_client(write=True) if self.client else None
        if redis is None or not redis.ping():
            return False
        if owes_all:
            drop_all(redis, PREFIX)
        elif owed:
            redis.delete(*owed)
        with self._lock:
            self._owed -= owed
            self._owes_all = self._owes_all and not owes_all
            if self._owed or self._owes_all:
                return False
            self.is_degraded = False
            return True


def drop_all(redis: Any, prefix: str) -> None:
    """Drop every name that begins with ``prefix``."""
    for name in redis.scan_iter(match=f"{prefix}:*", count=1000):
        redis.delete(name)


def _client(server: str) -> RedisCacheClient:
    limits: dict[str, Any] = {
        "socket_timeout": REDIS_WITHIN_S,
        "socket_connect_timeout": REDIS_WITHIN_S,
        "retry": Retry(NoBackoff(), 0),
    }
    return RedisCacheClient([server], serializer=Json, **limits)


_lock = threading.Lock()
_places: dict[str, Place] = {}


def place_of(server: str) -> Place:
    """Return this process's view of a Redis; all caches in it share its state."""
    with _lock:
        if server not in _places:
            _places[server] = Place(server)
        return _places[server]


class SharedCache(BaseCache):
    """Redis while it is there; while it is away nothing is kept and nothing found.

    For what must never come from one process's memory, since another one's change would not be
    seen there: sessions, users, what they may.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        name = params.get("NAME", "default")
        super().__init__({**params, "KEY_PREFIX": f"{PREFIX}:{name}"})
        self.place = place_of(server)

    def validate_key(self, key: str) -> None:
        """Take any key: only memcached is particular about them."""

    def _name(self, key: Any, version: int | None) -> str:
        name: str = self.make_and_validate_key(key, version=version)
        return name

    def _life_s(self, timeout: Any) -> int | None:
        life_s = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return None if life_s is None else max(0, int(life_s))

    def _in_memory(self, deed: Callable[[LocMemCache], T], nothing: T) -> Callable[[], T]:
        """Return what is done while Redis is away; here nothing."""
        return lambda: nothing

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """Set where nothing is; say whether that was so."""
        name, life_s, written = self._name(key, version), self._life_s(timeout), _plain(value)
        return self.place.run(
            lambda redis: bool(redis.add(name, value, life_s)),
            self._in_memory(lambda memory: memory.add(name, written, life_s), nothing=False),
            changes=[name],
        )

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return the value, or ``default``."""
        return self.get_many([key], version).get(key, default)

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        """Return the values that are there."""
        names = {self._name(key, version): key for key in keys}
        if not names:
            return {}
        found, place = self.place.run(
            lambda redis: (redis.get_many(list(names)), "redis"),
            self._in_memory(lambda memory: (memory.get_many(list(names)), "memory"), ({}, "none")),
        )
        REQUESTS.labels(place, "hit").inc(len(found))
        REQUESTS.labels(place, "miss").inc(len(names) - len(found))
        return {names[name]: value for name, value in found.items()}

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """Keep ``value`` for ``timeout`` seconds."""
        self.set_many({key: value}, timeout, version)

    def set_many(
        self,
        data: Mapping[Any, Any],
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> list[Any]:
        """Keep all values of ``data`` for ``timeout`` seconds."""
        values = {self._name(key, version): value for key, value in data.items()}
        written = {name: _plain(value) for name, value in values.items()}
        life_s = self._life_s(timeout)
        if not values or life_s == 0:
            self.delete_many(list(data), version)
            return []
        self.place.run(
            lambda redis: redis.set_many(values, life_s),
            self._in_memory(lambda memory: memory.set_many(written, life_s), []),
            changes=values,
        )
        return []

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Let a value live ``timeout`` seconds more; say whether it was there."""
        name, life_s = self._name(key, version), self._life_s(timeout)
        return self.place.run(
            lambda redis: bool(redis.touch(name, life_s)),
            self._in_memory(lambda memory: memory.touch(name, life_s), nothing=False),
        )

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Drop a value; say whether it was there."""
        name = self._name(key, version)
        return self.place.run(
            lambda redis: bool(redis.delete(name)),
            self._in_memory(lambda memory: memory.delete(name), nothing=False),
            changes=[name],
        )

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        """Drop values."""
        names = [self._name(key, version) for key in keys]
        if names:
            self.place.run(
                lambda redis: redis.delete_many(names),
                self._in_memory(lambda memory: memory.delete_many(names), None),
                changes=names,
            )

    def has_key(self, key: Any, version: int | None = None) -> bool:
        """Say whether a value is there."""
        return bool(self.get_many([key], version))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Add to a whole number; ValueError where there is none. Never for a quota."""
        name = self._name(key, version)
        found: int | None = self.place.run(
            lambda redis: int(redis.incr(name, delta)),
            self._in_memory(lambda memory: int(memory.incr(name, delta)), None),
            changes=[name],
        )
        if found is None:
            raise ValueError(f"nothing is kept as {key!r}")
        return found

    def clear(self) -> None:
        """Drop everything of this cache, and nothing else that lies in Redis."""
        self.place.run(
            lambda redis: drop_all(redis.get_client(write=True), self.key_prefix),
            self._in_memory(lambda memory: memory.clear(), None),
            changes=None,
        )


class FallbackCache(SharedCache):
    """Redis while it is there; while it is away, or where there is none, this process's memory.

    For what may be old by its whole life: another process's change isn't seen in memory.
    """

    def _in_memory(self, deed: Callable[[LocMemCache], T], nothing: T) -> Callable[[], T]:
        """Return what is done while Redis is away."""
        return lambda: deed(self.place.memory)


def _plain(value: Any) -> Any:
    """Return ``value`` as it would come back from Redis; TypeError for what is no plain JSON."""
    return json.loads(json.dumps(value))


@issues.register
def degraded(now: datetime) -> list[Issue]:
    """Tell where values are cached per process, since Redis is away."""
    if not any(place.is_degraded for place in list(_places.values())):
        return []
    return [Issue("cache_degraded", AMBER, "Redis is away: values are cached per process")]
