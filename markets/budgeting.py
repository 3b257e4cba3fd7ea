"""When a request may leave: one budget per exchange and exit address, over all processes.

Each request takes the next slot of the budget's row by compare-and-set and waits until then, so
that no window of ``per_s`` seconds sees more than the collector's ``requests``, however many
processes and threads ask. What the exchange itself says (Retry-After, a ban, its circuit being
broken) holds for all of them too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest

from markets.models import RateBudget
from project.core.errors import TransientError
from project.core.moments import stamp

DIRECT: Final = "direct"
#: A request that would have to wait longer is put off to another attempt of the run.
LONGEST_WAIT_S: Final = 30.0
#: Requests are spread by so much more than the plain average: arrival times jitter.
SPREAD: Final = 1.05
#: Failures in a row that break the circuit, and for how long; doubled with each further one.
BREAKS_AFTER: Final = 5
BROKEN_S: Final = 10.0
BROKEN_MOST_S: Final = 600.0
_US: Final = 1_000_000


class BudgetBlockedError(TransientError):
    """The exchange wants no requests from this address for a while."""

    code = "rate_limited"
    title = "The exchange wants no requests from here for now"


@dataclass(frozen=True, slots=True)
class Rate:
    """What a collector may ask for: ``requests`` in any ``per_s`` seconds."""

    requests: int
    per_s: float

    @property
    def burst(self) -> int:
        """Requests that may leave at once after a rest; they are taken off the steady rate."""
        return max(1, self.requests // 20)

    @property
    def step_us(self) -> int:
        """Microseconds between two requests of a steady stream."""
        steady = self.requests if self.burst == 1 else self.requests - self.burst
        return int(self.per_s * _US * SPREAD / steady)


def reserve(exchange: str, egress: str, rate: Rate, *, now: datetime) -> float:
    """Take the next slot of the budget; return the seconds to wait for it.

    Raises:
        BudgetBlockedError: the exchange banned the address, or its circuit is broken, for longer
            than is worth waiting for.
    """
    now_us = int(now.timestamp() * _US)
    while True:
        budget = _row(exchange, egress)
        _require_open(budget, now)
        earliest_us = now_us - (rate.burst - 1) * rate.step_us
        blocked_us = int(budget.blocked_until.timestamp() * _US) if budget.blocked_until else 0
        slot_us = max(budget.next_slot_us, earliest_us, blocked_us)
        if (slot_us - now_us) / _US > LONGEST_WAIT_S:
            raise BudgetBlockedError(
                f"the budget of {exchange} from {egress} is spent",
                retry_after_s=(slot_us - now_us) / _US,
            )
        mine = RateBudget.objects.filter(pk=budget.pk, next_slot_us=budget.next_slot_us)
        if mine.update(next_slot_us=slot_us + rate.step_us):
            return max(0.0, (slot_us - now_us) / _US)


def wait_turn(
    exchange: str,
    egress: str,
    rate: Rate,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> None:
    """Take the next slot and wait for it, by ``sleep``.

    Raises:
        BudgetBlockedError: as ``reserve``.
    """
    wait_s = reserve(exchange, egress, rate, now=clock())
    if wait_s > 0:
        sleep(wait_s)


def _row(exchange: str, egress: str) -> RateBudget:
    found = RateBudget.objects.filter(exchange=exchange, egress=egress).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return RateBudget.objects.create(exchange=exchange, egress=egress)
    except IntegrityError:  # a rival made it
        return RateBudget.objects.get(exchange=exchange, egress=egress)


def _require_open(budget: RateBudget, now: datetime) -> None:
    until = budget.blocked_until
    if until is None or until - now <= timedelta(seconds=LONGEST_WAIT_S):
        return
    raise BudgetBlockedError(
        f"{budget.exchange} wants no requests from {budget.egress} until {stamp(until)}: "
        f"{budget.block_reason}",
        retry_after_s=(until - now).total_seconds(),
    )


def block(exchange: str, egress: str, *, for_s: float, reason: str, now: datetime) -> None:
    """Keep all processes from asking for ``for_s`` seconds; a longer block stays."""
    budget, until = _row(exchange, egress), now + timedelta(seconds=for_s)
    shorter = Q(blocked_until__isnull=True) | Q(blocked_until__lt=until)
    RateBudget.objects.filter(shorter, pk=budget.pk).update(
        blocked_until=until, block_reason=reason[:200]
    )


def succeeded(exchange: str, egress: str) -> None:
    """Close the circuit again: an answer came."""
    RateBudget.objects.filter(exchange=exchange, egress=egress, failures__gt=0).update(failures=0)


def failed(exchange: str, egress: str, *, reason: str, now: datetime) -> None:
    """Count a failure; from the fifth in a row on the circuit is broken for a while."""
    budget = _row(exchange, egress)
    RateBudget.objects.filter(pk=budget.pk).update(failures=Greatest(F("failures"), Value(0)) + 1)
    failures = RateBudget.objects.values_list("failures", flat=True).get(pk=budget.pk)
    if failures >= BREAKS_AFTER:
        broken_s = min(BROKEN_MOST_S, BROKEN_S * 2.0 ** min(10, failures - BREAKS_AFTER))
        block(exchange, egress, for_s=broken_s, reason=f"circuit broken: {reason}", now=now)
