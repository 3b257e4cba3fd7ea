"""Token buckets: how many may come at once, and how fast room for more comes back.

A bucket is kept as one number, the moment at which it will be full again (the "generic cell rate
algorithm"): it takes one token where that lies no further ahead than an empty bucket takes to fill.
"""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: Buckets in memory beyond which the full ones are dropped.
_SWEEP_AT: Final = 5_000
#: A part of a token: the last digits of clocks must not lose a whole one.
_SLACK: Final = 0.001
#: One step in Redis, by Redis' own clock: no two processes can both take the last token.
_SCRIPT: Final = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local each, size = tonumber(ARGV[1]), tonumber(ARGV[2])
local before = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local full_at = before + each
local is_allowed = full_at - now <= each * (size + 0.001)
if is_allowed then
  redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'EX', math.ceil(full_at - now) + 1)
else
  full_at = before
end
return {is_allowed and 1 or 0, string.format('%.6f', full_at - now)}
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of ``size`` tokens, of which ``amount`` come back in ``per_s`` seconds."""

    size: int
    amount: int
    per_s: int

    @property
    def each_s(self) -> float:
        """The seconds after which one token is back."""
        return self.per_s / self.amount

    def taken(self, *, is_allowed: bool, full_in_s: float) -> "Taken":
        """Return what became of a request, given when the bucket will be full again."""
        left = math.floor(self.size - full_in_s / self.each_s + _SLACK)
        next_s = max(0.0, full_in_s - (self.size - 1) * self.each_s)
        reset_s = max(0.0, full_in_s) if is_allowed else next_s
        return Taken(is_allowed, max(0, left) if is_allowed else 0, reset_s, full_in_s)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request.

    Attributes:
        is_allowed: whether there was a token.
        left: how many are left.
        reset_s: seconds until the bucket is full again; of a refused request: until the next token.
        full_in_s: seconds until the bucket is full again.
    """

    is_allowed: bool
    left: int
    reset_s: float
    full_in_s: float


class Buckets:
    """Buckets in this process's memory."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._full_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._sweep_at = _SWEEP_AT

    def take(self, name: str, bucket: Bucket) -> Taken:
        """Take a token, where there is one."""
        with self._lock:
            now = self.clock()
            before = max(self._full_at.get(name, now), now)
            full_at = before + bucket.each_s
            is_allowed = full_at - now <= bucket.each_s * (bucket.size + _SLACK)
            if is_allowed:
                self._keep(name, full_at, now)
            return bucket.taken(
                is_allowed=is_allowed, full_in_s=(full_at if is_allowed else before) - now
            )

    def take_over(self, name: str, full_in_s: float) -> None:
        """Go on from a bucket that was counted elsewhere, for when that is away."""
        with self._lock:
            now = self.clock()
            self._keep(name, now + full_in_s, now)

    def _keep(self, name: str, full_at: float, now: float) -> None:
        self._full_at[name] = full_at
        if len(self._full_at) > self._sweep_at:
            self._full_at = {key: at for key, at in self._full_at.items() if at > now}
            self._sweep_at = max(_SWEEP_AT, 2 * len(self._full_at))  # each sweep pays for itself


def take_shared(redis: Any, name: str, bucket: Bucket) -> Taken:
    """Take a token of a bucket in Redis, where there is one: in one step for all processes."""
    answer: Any = redis.eval(_SCRIPT, 1, name, repr(bucket.each_s), bucket.size)
    return bucket.taken(is_allowed=bool(int(answer[0])), full_in_s=float(answer[1]))


def fullest(moments: Sequence[float], bucket: Bucket) -> int:
    """Return how many tokens the bucket would have had to hold to refuse none.

    Args:
        moments: of the requests, ascending.
        bucket: what holds back; its size doesn't matter.
    """
    most, level, last = 0.0, 0.0, moments[0] if moments else 0.0
    for at in moments:
        level = max(0.0, level - (at - last) / bucket.each_s) + 1
        most, last = max(most, level), at
    return math.ceil(most - _SLACK)
