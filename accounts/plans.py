"""Which plan a user has, and how often it lets them ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from accounts.choices import RaisedBy
from accounts.models import Plan, Subscription, User
from project.core.callers import Allowance

#: What staff are told to have: no limit holds for them.
STAFF: Final = Allowance(plan="staff", is_unlimited=True, rates={})
#: What is read with a user, so that their plan costs no query of its own.
WITH_USER: Final = ("subscription__plan", "subscription__plan_before")
#: By hand, for statements that every lease waits for: the plan ``own`` of a user ``u``, ``at`` a
#: moment. It says what ``of_subscription`` says; a test compares them.
OWN_PLAN: Final = """LEFT JOIN accounts_subscription s
  ON s.user_id = u.id AND (s.ends_at IS NULL OR s.ends_at > %(at)s)
LEFT JOIN accounts_plan own
  ON own.id = CASE WHEN s.started_at <= %(at)s THEN s.plan_id ELSE s.plan_before_id END"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a user stands.

    Attributes:
        plan: what holds now; None where there is no default plan either.
        since: since when; None where that is not known.
        ends_at: when it ends; None: never.
        next_plan: what takes its place at ``ends_at``, where that is settled.
    """

    plan: Plan | None
    since: datetime | None
    ends_at: datetime | None = None
    next_plan: Plan | None = None


def of_subscription(subscription: Subscription, *, at: datetime) -> Plan | None:
    """Return the plan that a subscription gives at a moment; None: the default one."""
    if subscription.ends_at is not None and subscription.ends_at <= at:
        return None
    return subscription.plan if subscription.started_at <= at else subscription.plan_before


def subscription_of(user: User) -> Subscription | None:
    """Return a user's subscription, past and future ones too."""
    try:
        return user.subscription
    except Subscription.DoesNotExist:
        return None


def current(user: User, *, at: datetime) -> Plan | None:
    """Return the plan that ``user`` subscribed to; None: the default one."""
    subscription = subscription_of(user)
    return of_subscription(subscription, at=at) if subscription is not None else None


def effective(user: User, *, at: datetime) -> Plan | None:
    """Return the plan that holds for a user: none limits staff; else theirs, else the default one."""
    if user.is_staff:
        return Plan(name=STAFF.plan, title="Staff", description="No limits.", is_unlimited=True)
    return current(user, at=at) or default()


def standing(user: User, *, at: datetime) -> Standing:
    """Return which plan holds for a user, since when, until when, and what comes then."""
    plan, own = effective(user, at=at), subscription_of(user)
    if user.is_staff or own is None or (own.ends_at is not None and own.ends_at <= at):
        return Standing(plan, user.date_joined)
    if own.started_at > at:
        return Standing(plan, None, own.started_at, own.plan)
    return Standing(plan, own.started_at, own.ends_at)


def allowance_of(user: User, *, at: datetime | None = None) -> Allowance | None:
    """Return how often ``user`` may ask; None: as the default plan says.

    Costs no query where ``WITH_USER`` was selected with the user.
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
