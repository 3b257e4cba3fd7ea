"""What of a user matters at a glance: plan and use, browsers, keys, and what limits turned away."""

from dataclasses import dataclass
from datetime import datetime

from accounts import devices, quotas, refusals
from accounts.models import ApiKey, Device, Plan, User
from accounts.quotas import Use
from accounts.refusals import Refused


@dataclass(frozen=True, slots=True)
class KeySeen:
    """A key that holds, and what limits turned away of it today."""

    key: ApiKey
    refused: Refused | None


@dataclass(frozen=True, slots=True)
class Glance:
    """All of it; ``refused`` is of the user's browsers, each key has its own."""

    plan: Plan | None
    ends_at: datetime | None
    usage: list[Use]
    devices: list[Device]
    keys: list[KeySeen]
    refused: Refused | None

    @property
    def is_refused(self) -> bool:
        """Whether limits turned anything away today."""
        return self.refused is not None or any(one.refused for one in self.keys)


def at_user(user: User, *, now: datetime) -> Glance:
    """Return what matters of ``user`` now."""
    browsers = devices.current(user, now=now)  # writes last uses down first
    held = list(ApiKey.objects.valid(at=now).filter(user=user))
    own = f"user:{user.pk}"
    refused = refusals.today([own, *(f"key:{key.pk}" for key in held)], now=now)
    plan = quotas.effective(user, at=now)
    subscription = getattr(user, "subscription", None)
    holds = subscription is not None and plan is not None and subscription.plan_id == plan.pk
    return Glance(
        plan=plan,
        ends_at=subscription.ends_at if subscription and holds else None,
        usage=quotas.usage(user, now=now),
        devices=browsers,
        keys=[KeySeen(key, refused.get(f"key:{key.pk}")) for key in held],
        refused=refused.get(own),
    )
