"""How one request gets to an exchange: by which way, in its turn, and again when it fails.

A ``Line`` belongs to one thread. With ``proxy_required`` it has no direct way at all: where no
proxy is to be had the request isn't made.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit

import tenacity
from django.db import connection
from django.utils import timezone

from markets import budgeting, errorlog, metrics
from markets.adapters import venues, wire
from markets.adapters.wire import Access, ExchangeError, Venue
from markets.budgeting import Claim, Heard
from markets.choices import Egress
from markets.configuring import Means
from markets.errorlog import About
from project.core import addresses
from project.core.errors import AppError, TransientError
from proxies import leasing

T = TypeVar("T")
#: For how long an address is left alone when the exchange refuses it without saying how long.
BLOCKED_S: Final = 120.0
LIMITED_S: Final = 30.0
#: Pieces in which waits are slept, so that a canceled run stops soon.
NAP_S: Final = 0.5


def _never_stop() -> None:
    """Do nothing: nobody can ask this work to stop."""


def rest_connection() -> None:
    """Give this thread's database connection back to the pool before a wait for others."""
    if not connection.in_atomic_block:
        connection.close()


@dataclass(frozen=True, slots=True)
class Tools:
    """What touches the world beside the network: clock, sleep, and the run's safe point."""

    clock: Callable[[], datetime] = timezone.now
    sleep: Callable[[float], None] = time.sleep
    check: Callable[[], None] = field(default=_never_stop)

    def wait(self, seconds: float) -> None:
        """Sleep in pieces, stopping where the run is asked to stop."""
        rest_connection()
        left_s = seconds
        while left_s > 0:
            self.check()
            self.sleep(min(NAP_S, left_s))
            left_s -= NAP_S


class Line:
    """One thread's connection to one exchange."""

    def __init__(
        self, means: Means, *, holder: str, tools: Tools | None = None, about: About | None = None
    ) -> None:
        self.means = means
        #: What is asked for, as the log of failures tells it.
        self.about = about or About(means.exchange)
        self._attempt = 0
        self.tools = tools or Tools()
        self._holder = holder
        self._rates = means.rates
        self._heard: Heard | None = None
        self._left_s: float | None = None
        self._stack = ExitStack()
        self._lease: leasing.HeldLease | None = None
        self._venue: Venue | None = None
        self._is_guarded = False
        #: How far the exchange's clock is ahead of ours, milliseconds.
        self.skew_ms = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close_venue()
        # what went wrong was told to the pool when it happened; the rest isn't the proxy's fault
        self._stack.close()

    @property
    def egress(self) -> str:
        """Where requests leave: ``direct``, or the proxy's exit address."""
        return budgeting.DIRECT if self._lease is None else self._exit_of(self._lease)

    @staticmethod
    def _exit_of(lease: leasing.HeldLease) -> str:
        return lease.exit_ip or lease.endpoint

    def now_ms(self) -> int:
        """Return the exchange's time, as told when the line was synchronised."""
        return round(self.tools.clock().timestamp() * 1000) + self.skew_ms

    def synchronise(self) -> None:
        """Learn how far the exchange's clock is from ours: finality is told by its clock.

        Raises:
            AppError: as ``ask``.
        """
        told = self.ask(lambda venue: venue.time_ms())
        if told is not None:
            self.skew_ms = told - round(self.tools.clock().timestamp() * 1000)

    def ask(self, call: Callable[[Venue], T]) -> T:
        """Return what ``call`` gets from the exchange, by budget, with retries.

        Raises:
            TransientError: it failed as often as the collector allows, or the exchange asked for
                a longer wait than is worth it here (``retry_after_s``).
            PermanentError: the exchange refuses the request.
        """
        self._attempt = 0
        found: T = self._retrying()(self._once, call)
        return found

    def _retrying(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            stop=self._is_over,
            wait=self._wait_s,
            retry=tenacity.retry_if_exception_type(TransientError),
            sleep=self.tools.wait,
            reraise=True,
        )

    def _is_over(self, state: tenacity.RetryCallState) -> bool:
        if state.attempt_number >= self.means.retry_attempts:
            return True
        return self._asked_s(state) > max(self.means.retry_max_s, budgeting.LONGEST_WAIT_S)

    def _wait_s(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if getattr(error, "rotates", False) and self.means.egress != Egress.DIRECT:
            return 0.0  # the next attempt goes another way
        grown = self.means.retry_base_s * 2.0 ** (state.attempt_number - 1)
        wait_s = min(self.means.retry_max_s, grown * random.uniform(0.75, 1.25))  # noqa: S311 -- jitter
        return max(wait_s, self._asked_s(state))

    def _asked_s(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if getattr(error, "rotates", False) and self.means.egress != Egress.DIRECT:
            return 0.0
        return float(getattr(error, "retry_after_s", None) or 0.0)

    def _once(self, call: Callable[[Venue], T]) -> T:
        self.tools.check()
        self._attempt += 1
        venue = self._ready()
        way = self.egress
        try:
            found = call(venue)
        except AppError as error:
            self._answered(error.code)
            self._heed(venue)
            if isinstance(error, ExchangeError):
                self._failed(error, way)
            raise
        self._answered("ok")
        self._heed(venue)
        budgeting.succeeded(self.means.exchange, way)
        return found

    def _turn(self, weight: float) -> None:
        """Wait until a request of that weight may leave; called before each one by the venue."""
        self._answered("ok")  # the call's request before this one
        claim = Claim(self.means.exchange, self.egress, self._rates, weight, self._heard)
        budgeting.wait_turn(claim, clock=self.tools.clock, sleep=self.tools.wait)
        self._heard = None
        rest_connection()
        self._left_s = time.monotonic()

    def _answered(self, outcome: str) -> None:
        """Count the request under way, if there is one."""
        if self._left_s is None:
            return
        name = self.means.exchange
        metrics.REQUEST_SECONDS.labels(name).observe(time.monotonic() - self._left_s)
        metrics.REQUESTS.labels(name, outcome).inc()
        self._left_s = None

    def _heed(self, venue: Venue) -> None:
        """Keep what the exchange counted of this address; the next request tells the budget."""
        told = budgeting.heard(
            venue.used(),
            self.means.exchange_rates,
            now=self.tools.clock(),
            skew_ms=self.skew_ms,
        )
        self._heard = told or self._heard

    def _failed(self, error: ExchangeError, way: str) -> None:
        name, now = self.means.exchange, self.tools.clock()
        errorlog.record(error, self.about, egress=way, attempt=self._attempt, now=now)
        if isinstance(error, wire.BlockedError | wire.RateLimitedError):
            usual_s = BLOCKED_S if isinstance(error, wire.BlockedError) else LIMITED_S
            for_s = error.retry_after_s or usual_s
            budgeting.block(name, way, for_s=for_s, reason=error.title, now=now)
        elif self._lease is None:
            budgeting.failed(name, way, reason=error.title, now=now)
        if self._lease is not None and error.rotates:
            self._lease.report(outcome=error.outcome)
            self._drop()

    def _ready(self) -> Venue:
        """Return the exchange by the way that requests go now; find one where there is none.

        Raises:
            NoProxyAvailableError: the policy wants a proxy, and none is free.
            ForbiddenAddressError: the collector's URL leads inside a private network.
        """
        if self._lease is not None:
            try:
                self._lease.keep()
            except leasing.StaleTokenError:
                self._drop()
        if self.means.egress != Egress.DIRECT and self._lease is None:
            self._close_venue()
            self._borrow()
        if self._venue is None:
            self._venue = self._open()
        return self._venue

    def _borrow(self) -> None:
        wanted: leasing.Wanted = {"target": self._target()}
        if not self.means.rest_url.startswith("http://"):
            wanted["protocol"] = "https"
        try:
            self._lease = self._stack.enter_context(
                leasing.lease_proxy(holder=self._holder, **wanted)
            )
        except leasing.NoProxyAvailableError:
            if self.means.egress == Egress.REQUIRED:
                raise

    def _target(self) -> str:
        found = urlsplit(self.means.rest_url).hostname if self.means.rest_url else None
        return found or venues.host_of(self.means.exchange)

    def _open(self) -> Venue:
        proxy_url = "" if self._lease is None else _resolving_there(self._lease.proxy_url)
        if self.means.egress == Egress.REQUIRED and not proxy_url:
            raise leasing.NoProxyAvailableError("no proxy, and requests may not leave directly")
        if not self._is_guarded and self.means.rest_url:
            self._guard(is_direct=not proxy_url)
        access = Access(self.means.exchange, self.means.rest_url, self.means.timeout_s, proxy_url)
        return venues.open_venue(access, self._turn)

    def _guard(self, *, is_direct: bool) -> None:
        """Refuse a collector's URL that leads inside; names are resolved here only when asked here."""
        parts = urlsplit(self.means.rest_url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        if is_direct:
            asyncio.run(addresses.resolve(host, port))
            self._is_guarded = True
        elif host.replace(".", "").isdigit() or ":" in host:
            addresses.require_allowed(host)

    def _drop(self) -> None:
        """Give the proxy back; the next request finds another way."""
        self._close_venue()
        self._heard = None  # it was told of another address
        self._lease = None
        self._stack.close()

    def _close_venue(self) -> None:
        if self._venue is not None:
            self._venue.close()
            self._venue = None


def _resolving_there(proxy_url: str) -> str:
    """Let a SOCKS proxy resolve the exchange's name: no name server learns of it from here."""
    for plain, there in (("socks5://", "socks5h://"), ("socks4://", "socks4a://")):
        if proxy_url.startswith(plain):
            return there + proxy_url.removeprefix(plain)
    return proxy_url


def line_for(means: Means, *, holder: str, tools: Any = None, about: About | None = None) -> Line:
    """Return a line to the exchange; tests replace ``adapters.venues`` beneath it."""
    return Line(means, holder=holder, tools=tools, about=about)
