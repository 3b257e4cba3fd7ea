"""What a billing system says of subscriptions: signed, each event once, never out of order."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import plans, recalling
from accounts.models import BillingEvent, Plan, Subscription, User
from project.core import auditing, signing
from project.core.callers import SYSTEM
from project.core.choices import Act
from project.core.errors import ConflictError, FieldProblem, ForbiddenError, InvalidInputError

NOT_CONFIGURED: Final = "set BILLING_WEBHOOK_SECRETS to let a billing system change subscriptions"


class BillingClosedError(ForbiddenError):
    """No billing system is configured here."""

    code = "billing_closed"
    title = "No billing system is configured"


class UnknownUserError(InvalidInputError):
    """There is no user of that e-mail."""

    code = "unknown_user"
    title = "No such user"


class UnknownPlanError(InvalidInputError):
    """There is no plan of that name."""

    code = "unknown_plan"
    title = "No such plan"


class BadPeriodError(InvalidInputError):
    """The subscription would end before it starts."""

    code = "bad_period"
    title = "Bad period"


class EventReusedError(ConflictError):
    """The event's id came before, with another content."""

    code = "event_reused"
    title = "The event id belongs to another event"


@dataclass(frozen=True, slots=True)
class Change:
    """What an event says.

    Attributes:
        event_id: the billing system's own, the same when it is sent again.
        email: whose subscription it is.
        plan: name of the plan; None: the subscription ends, and the default plan holds.
        occurred_at: when it happened there; an older event than the last applied changes nothing.
        starts_at: when the subscription starts; None: when it happened.
        ends_at: when it ends; None: never.
    """

    event_id: str
    email: str
    plan: str | None
    occurred_at: datetime
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def require_signed(body: bytes, header: str, *, now: datetime) -> None:
    """Refuse what the billing system did not sign, or not lately.

    Raises:
        BillingClosedError: none is configured.
        BadSignatureError: signed by somebody else.
        StaleSignatureError: signed more than five minutes from now.
    """
    if not settings.BILLING_WEBHOOK_SECRETS:
        raise BillingClosedError(NOT_CONFIGURED)
    signing.check(body, header, secrets=settings.BILLING_WEBHOOK_SECRETS, now=now)


def apply(change: Change, *, body: bytes, now: datetime) -> bool:
    """Do what an event says, once; False where it was done before, or a later one was.

    Raises:
        UnknownUserError: no user has that e-mail.
        UnknownPlanError: no plan has that name.
        BadPeriodError: it would end before it starts.
        EventReusedError: the id came before, with another content.
    """
    own = hashlib.sha256(body).hexdigest()
    with transaction.atomic():
        user = User.objects.select_for_update().filter(email=change.email.strip().lower()).first()
        known = BillingEvent.objects.filter(event_id=change.event_id).first()
        if known is not None:
            return _again(known, own)
        if user is None:
            wrong = FieldProblem("email", "unknown_user", "nobody has this e-mail")
            raise UnknownUserError(f"no user {change.email}", fields=(wrong,))
        plan = _plan(change.plan)
        later = BillingEvent.objects.filter(
            user=user, is_applied=True, occurred_at__gt=change.occurred_at
        )
        is_applied = not later.exists()
        try:
            with transaction.atomic():
                BillingEvent.objects.create(
                    event_id=change.event_id,
                    user=user,
                    plan=change.plan or "",
                    digest=own,
                    occurred_at=change.occurred_at,
                    received_at=now,
                    is_applied=is_applied,
                )
        except IntegrityError:  # a rival's, of another user
            return _again(BillingEvent.objects.get(event_id=change.event_id), own)
        if is_applied:
            _subscribe(user, plan, change, now=now)
            recalling.forget_user(user.pk)
    return is_applied


def _again(known: BillingEvent, own: str) -> bool:
    if known.digest != own:
        raise EventReusedError(f"event {known.event_id} came before, with another content")
    return False


def _plan(name: str | None) -> Plan | None:
    if name is None:
        return None
    plan = Plan.objects.filter(name=name).first()
    if plan is None:
        wrong = FieldProblem("plan", "unknown_plan", "there is no such plan")
        raise UnknownPlanError(f"no plan {name}", fields=(wrong,))
    return plan


def _subscribe(user: User, plan: Plan | None, change: Change, *, now: datetime) -> None:
    before = Subscription.objects.filter(user=user).select_related("plan").first()
    if plan is None:
        Subscription.objects.filter(user=user).delete()
    else:
        _hold(user, plan, change, now=now)
    told = auditing.Change(
        "Plan", str(before.plan) if before else "", str(plan) if plan is not None else ""
    )
    deed = auditing.Deed(Act.CHANGED, f"By billing event {change.event_id}.", [told])
    auditing.note(user, deed, by=SYSTEM, now=now)


def _hold(user: User, plan: Plan, change: Change, *, now: datetime) -> None:
    """Write what the user has; of a change that is to come, what they have until then, too."""
    starts_at = change.starts_at or change.occurred_at
    if change.ends_at is not None and change.ends_at <= starts_at:
        raise BadPeriodError("it would end before it starts")
    facts = {
        "plan": plan,
        "started_at": starts_at,
        "ends_at": change.ends_at,
        "plan_before": plans.current(user, at=now) if starts_at > now else None,
    }
    Subscription.objects.update_or_create(
        user=user, defaults={**facts, "note": f"by event {change.event_id}"[:200]}
    )
