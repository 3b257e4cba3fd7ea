"""Working with a leased proxy in Python: a block that gives it back, and says how it went."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, TypedDict, Unpack

from django.utils import timezone

from project.core.callers import SYSTEM, Caller
from project.core.errors import TransientError
from proxies import lending, returning
from proxies.choices import Outcome
from proxies.lending import Ask, BadLeaseRequestError, Granted, NoProxyAvailableError
from proxies.returning import Report, StaleTokenError

__all__ = [
    "BadLeaseRequestError",
    "HeldLease",
    "NoProxyAvailableError",
    "StaleTokenError",
    "Wanted",
    "lease_proxy",
    "outcome_of",
]
#: How far back the causes of an exception are looked at.
_CAUSES: Final = 8


class Wanted(TypedDict, total=False):
    """The wishes that ``lease_proxy`` takes; as the fields of ``lending.Ask``."""

    target: str
    pool: str
    protocol: str
    country: str
    min_score: float | None
    ttl_s: float | None
    request_id: str
    session: str


class HeldLease:
    """A lease in the hands of code that works with it."""

    def __init__(self, granted: Granted) -> None:
        self._granted = granted
        self.is_reported = False

    @property
    def id(self) -> int:
        """The lease's primary key."""
        return self._granted.id

    @property
    def token(self) -> uuid.UUID:
        """What every later write presents."""
        return self._granted.token

    @property
    def proxy_id(self) -> int:
        """The proxy's primary key."""
        return self._granted.proxy_id

    @property
    def proxy_url(self) -> str:
        """The proxy with its credentials: never to be logged."""
        return self._granted.proxy_url

    @property
    def endpoint(self) -> str:
        """``host:port``, which may be shown."""
        return f"{self._granted.host}:{self._granted.port}"

    @property
    def exit_ip(self) -> str:
        """The address that sites see; empty while it isn't known."""
        return self._granted.exit_ip

    @property
    def country(self) -> str:
        """ISO code of where it leaves from; empty while it isn't known."""
        return self._granted.country

    @property
    def expires_at(self) -> datetime:
        """When the lease ends, unless renewed."""
        return self._granted.expires_at

    def report(
        self,
        *,
        outcome: str,
        status_code: int | None = None,
        latency_ms: float | None = None,
        size_bytes: int | None = None,
    ) -> None:
        """Give the proxy back with what came of it; a second report changes nothing."""
        if self.is_reported:
            return
        self.is_reported = True
        report = Report(outcome, status_code, latency_ms, size_bytes)
        token = self._granted.token
        returning.release(self.id, report, token=token, by=SYSTEM, now=timezone.now())

    def renew(self, *, ttl_s: float | None = None) -> None:
        """Keep the proxy until ``ttl_s`` seconds from now, or for its pool's usual time.

        Raises:
            StaleTokenError: the lease has run out; somebody else may hold the proxy by now.
        """
        self._granted = returning.renew(
            self.id, token=self._granted.token, ttl_s=ttl_s, by=SYSTEM, now=timezone.now()
        )

    def keep(self) -> None:
        """Renew for as long again when less than half of the time is left.

        Raises:
            StaleTokenError: as ``renew``.
        """
        whole = self._granted.expires_at - self._granted.acquired_at
        if self._granted.expires_at - timezone.now() < whole / 2:
            self.renew(ttl_s=whole.total_seconds())


def outcome_of(error: BaseException) -> str:
    """Return what an exception says of the proxy; empty where it says nothing.

    Time-outs and refused connections are looked for among the causes; other transient errors
    count as ``error``. A bug, a stop or a lost lease blames nobody.
    """
    found: BaseException | None = error
    for _ in range(_CAUSES):
        if isinstance(found, TimeoutError):
            return Outcome.TIMEOUT
        if isinstance(found, ConnectionError):
            return Outcome.REFUSED
        if found is None:
            break
        found = found.__cause__ or found.__context__
    return Outcome.ERROR if isinstance(error, TransientError | OSError) else ""


@contextmanager
def lease_proxy(
    *, holder: str = "", by: Caller = SYSTEM, **wanted: Unpack[Wanted]
) -> Iterator[HeldLease]:
    """Lend a proxy for a block; leaving it gives the proxy back and reports the outcome.

    Args:
        holder: who asks, for staff, e.g. ``"markets.collect"``.
        by: on whose behalf.
        wanted: which proxies will do, see ``Wanted``.

    Raises:
        NoProxyAvailableError: none is free.
    """
    ask = Ask(holder=holder or f"user:{by.user_id}", **wanted)
    held = HeldLease(lending.acquire(ask, by=by, now=timezone.now()))
    try:
        yield held
    except BaseException as error:
        held.report(outcome=outcome_of(error))
        raise
    held.report(outcome=Outcome.OK)
