"""When a request may leave: one budget per exchange and exit address, over all processes.

Each request keeps the budget's row busy for a while, by what it weighs, and waits until that is
less than the burst of its rates: so no window sees more than the collector's rate and the
exchange's own limits allow, however many processes and threads ask. The row is taken by
compare-and-set. What the exchange itself says (the weight it counted, Retry-After, a ban, its
circuit being broken) holds for all of them too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest

from markets import rates as pace
from markets.adapters.wire import Used
from markets.models import RateBudget
from markets.rates import Rate
from project.core.errors import TransientError
from project.core.moments import stamp

DIRECT: Final = "direct"
#: A request that would have to wait longer is put off to another attempt of the run.
LONGEST_WAIT_S: Final = 30.0
#: Part of a told limit that is kept free, for requests that are under way while it is told.
SPARE: Final = 0.04
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
class Heard:
    """What an exchange told of the weight that it counted from an address.

    Attributes:
        used: so far in its window.
        limit: of the window.
        at: when it told.
        full_until_us: no request may leave before the budget is free by then; microseconds.
    """

    used: int
    limit: float
    at: datetime
    full_until_us: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that wants to leave.

    Attributes:
        egress: ``direct``, or the exit address that it leaves from.
        rates: all that hold for it: the collector's, the exchange's.
        weight: as the exchange counts it.
        heard: what was told last of this address.
    """

    exchange: str
    egress: str
    rates: Sequence[Rate]
    weight: float = 1.0
    heard: Heard | None = None


def reserve(claim: Claim, *, now: datetime) -> float:
    """Take the next place of the budget; return the seconds to wait for it.

    Raises:
        BudgetBlockedError: the exchange banned the address, or its circuit is broken, for longer
            than is worth waiting for.
    """
    now_us = int(now.timestamp() * _US)
    taken_us = pace.taken_us(claim.rates, claim.weight)
    # a request that takes more than the burst must leave some time
    lead_us = max(pace.lead_us(claim.rates), taken_us)
    heard = claim.heard
    while True:
        budget = _row(claim.exchange, claim.egress)
        _require_open(budget, now)
        busy_us = max(budget.next_slot_us, now_us, heard.full_until_us if heard else 0)
        if budget.blocked_until:  # what follows a block leaves one by one
            busy_us = max(busy_us, int(budget.blocked_until.timestamp() * _US) + lead_us - taken_us)
        wait_us = max(0, busy_us + taken_us - lead_us - now_us)
        if wait_us / _US > LONGEST_WAIT_S:
            _spread(budget, heard)
            raise BudgetBlockedError(
                f"the budget of {claim.exchange} from {claim.egress} is spent",
                retry_after_s=wait_us / _US,
            )
        mine = RateBudget.objects.filter(pk=budget.pk, next_slot_us=budget.next_slot_us)
        if mine.update(next_slot_us=busy_us + taken_us, **_told(heard)):
            return wait_us / _US


def _spread(budget: RateBudget, heard: Heard | None) -> None:
    """Tell the others what was heard though no request leaves."""
    if heard is None:
        return
    behind = RateBudget.objects.filter(pk=budget.pk, next_slot_us__lt=heard.full_until_us)
    behind.update(next_slot_us=heard.full_until_us, **_told(heard))


def _told(heard: Heard | None) -> dict[str, Any]:
    """Return the columns that show staff what the exchange counted."""
    if heard is None:
        return {}
    return {"used": heard.used, "used_limit": round(heard.limit), "used_at": heard.at}


def heard(
    used: Sequence[Used], rates: Sequence[Rate], *, now: datetime, skew_ms: int = 0
) -> Heard | None:
    """Return what the exchange's own count means for the budget; None where it told none.

    Others may ask from this address too, and our costs may be wrong: the count is the truth. So
    much of the budget is taken that what is left of the window sees no more than is left of the
    limit, evenly; nothing is given back where less was used than we thought.

    Args:
        used: as told with an answer, by window.
        rates: the exchange's limits.
        now: our time.
        skew_ms: how far its clock, whose windows these are, is ahead of ours.
    """
    by_window = {rate.per_s: rate for rate in rates if rate.by_weight}
    found = [
        _heard(one, by_window[one.per_s], rates, now, skew_ms)
        for one in used
        if one.per_s in by_window
    ]
    return max(found, key=lambda one: one.full_until_us, default=None)


def _heard(used: Used, rate: Rate, rates: Sequence[Rate], now: datetime, skew_ms: int) -> Heard:
    now_us = int(now.timestamp() * _US)
    window_us = round(rate.per_s * _US)
    left_us = window_us - (now_us + skew_ms * 1000) % window_us
    left_units = max(0.0, rate.units * (1 - SPARE) - used.units)
    full_until_us = now_us + left_us + pace.lead_us(rates) - round(left_units * rate.unit_us)
    return Heard(used.units, rate.units, now, full_until_us)


def wait_turn(
    claim: Claim, *, clock: Callable[[], datetime], sleep: Callable[[float], None]
) -> None:
    """Take the next place and wait for it, by ``sleep``.

    Raises:
        BudgetBlockedError: as ``reserve``.
    """
    wait_s = reserve(claim, now=clock())
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
