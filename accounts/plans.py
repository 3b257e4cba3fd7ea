"""Which plan a user has, and how often it lets them ask."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.utils import timezone

from accounts.choices import RaisedBy
from accounts.models import Plan, Subscription, User
from project.core.callers import Allowance

#: What staff are told to have: no limit holds for them.
STAFF: Final = Allowance(plan="staff", is_unlimited=True, rates={})


def current(user: User, *, at: datetime) -> Plan | None:
    """Return the plan that ``user`` subscribed to; None: the default one."""
    try:
        subscription = user.subscription
    except Subscription.DoesNotExist:
        return None
    if subscription.ends_at is not None and subscription.ends_at <= at:
        return None
    return subscription.plan


def allowance_of(user: User, *, at: datetime | None = None) -> Allowance | None:
    """Return how often ``user`` may ask; None: as the default plan says.

    Costs no query where ``subscription__plan`` was selected with the user.
    """
    if user.is_staff:
        return STAFF
    plan = current(user, at=at or timezone.now())
    return allowance(plan) if plan is not None else None


def allowance(plan: Plan) -> Allowance:
    """Return how often ``plan`` lets its users ask."""
    numbers = {name: getattr(plan, name) for name in RaisedBy.values}
    return allowance_from(plan.name, is_unlimited=plan.is_unlimited, numbers=numbers)


def allowance_from(
    name: str, *, is_unlimited: bool, numbers: Mapping[str, int | None]
) -> Allowance:
    """Return how often a plan lets its users ask, by what its row says."""
    rates = {each: number for each, number in numbers.items() if number is not None}
    return Allowance(plan=name, is_unlimited=is_unlimited, rates=rates)


def default() -> Plan | None:
    """Return the plan of everybody without a subscription; None where staff removed it."""
    return Plan.objects.filter(is_default=True).first()
