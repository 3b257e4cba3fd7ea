"""Decides how many connections a pool should have, from the trend of the last half second.

A request that waits longer than ``grow_after_s`` makes the pool grow in any case. This module
lets it grow before anybody has waited, and shrink where more connections only get in each
other's way. By Little's law a queue of ``n`` requests that each use a connection for ``u``
seconds waits about ``(n - s) * u / s`` at ``s`` connections; that stays within ``w`` seconds
from ``s = n * u / (w + u)`` on. ``w`` is a third of ``grow_after_s``: ahead of the others.

Only uses that are slow by themselves count. Quick ones wait for the processor, be it for the
interpreter's lock or for other processes, and there a further connection makes everybody slower:
so a process that uses a whole core, or whose uses are quick, neither grows ahead nor keeps what
it grew after waits.
"""

import math
from collections.abc import Callable
from typing import Final

BUCKET_S: Final = 0.05
BUCKETS: Final = 10
HORIZON_S: Final = 0.1
#: The process is bound by the interpreter from this share of one core on.
BOUND_SHARE: Final = 0.8
_SHARE_EVERY_S: Final = 0.1
_USE_WEIGHT: Final = 0.05


class Demand:
    """What the recent requests of one pool let expect. All clocks are given by the caller."""

    __slots__ = (
        "_bucket",
        "_cpu_s",
        "_cpu_share",
        "_ended",
        "_looked_at_s",
        "_peaks",
        "_quick_s",
        "_use_s",
        "_wait_s",
    )

    def __init__(self, *, grow_after_s: float) -> None:
        """Expect nothing yet."""
        self._wait_s = grow_after_s / 3
        self._quick_s = grow_after_s / 2
        self._peaks = [0] * BUCKETS
        self._bucket = 0
        self._use_s = 0.0
        self._ended = 0
        self._cpu_s = 0.0
        self._cpu_share = 0.0
        self._looked_at_s = -math.inf

    @property
    def use_s(self) -> float:
        """Return the smoothed length of one use."""
        return self._use_s

    @property
    def is_quick(self) -> bool:
        """Whether uses are so short that more connections would not shorten the queue."""
        return self._use_s < self._quick_s

    def asked(self, now_s: float, *, wanted: int) -> None:
        """Note that ``wanted`` connections are in use or waited for."""
        self._turn_to(now_s)
        place = self._bucket % BUCKETS
        self._peaks[place] = max(self._peaks[place], wanted)

    def ended(self, *, used_s: float) -> None:
        """Note how long one use lasted."""
        self._ended += 1
        self._use_s += (used_s - self._use_s) * max(_USE_WEIGHT, 1 / self._ended)

    def is_bound(self, now_s: float, *, cpu_s: Callable[[], float]) -> bool:
        """Say whether the process uses a whole core; ``cpu_s`` reads its processor time."""
        passed_s = now_s - self._looked_at_s
        if passed_s >= _SHARE_EVERY_S:
            used_s = cpu_s()
            if math.isfinite(passed_s):
                self._cpu_share = (used_s - self._cpu_s) / passed_s
            self._cpu_s, self._looked_at_s = used_s, now_s
        return self._cpu_share >= BOUND_SHARE

    def expected(self, now_s: float) -> float:
        """Return how many connections will be wanted in ``HORIZON_S``, by the trend."""
        self._turn_to(now_s)
        peaks = self._in_order()
        middle = (BUCKETS - 1) / 2
        spread = sum((place - middle) ** 2 for place in range(BUCKETS))
        slope = sum((place - middle) * peak for place, peak in enumerate(peaks)) / spread
        return max(0.0, peaks[-1] + max(0.0, slope) * HORIZON_S / BUCKET_S)

    def size(self, now_s: float, *, held_s: float = 0.0) -> int:
        """Return how many connections keep the expected wait short.

        Args:
            now_s: the moment, monotonic.
            held_s: how long the connections now in use have been held on average; a slow use
                shows there before it ends.
        """
        use_s = max(self._use_s, held_s)
        if use_s < self._quick_s:
            return 0
        return math.ceil(self.expected(now_s) * use_s / (self._wait_s + use_s))

    def busy_size(self, now_s: float) -> int:
        """Return how many connections the busiest moment of the last half second needs."""
        self._turn_to(now_s)
        use_s = self._use_s
        if use_s <= 0:
            return 0
        return math.ceil(max(self._peaks) * use_s / (self._wait_s + use_s))

    def _turn_to(self, now_s: float) -> None:
        """Start the bucket of ``now_s``, emptying those that were passed over."""
        bucket = int(now_s / BUCKET_S)
        passed = bucket - self._bucket
        if passed <= 0:
            return
        for step in range(1, min(passed, BUCKETS) + 1):
            self._peaks[(self._bucket + step) % BUCKETS] = 0
        if passed >= BUCKETS:
            self._peaks = [0] * BUCKETS
        self._bucket = bucket

    def _in_order(self) -> list[int]:
        """Return the peaks, oldest first."""
        first = (self._bucket + 1) % BUCKETS
        return self._peaks[first:] + self._peaks[:first]
