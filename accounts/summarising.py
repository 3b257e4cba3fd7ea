"""What of a user matters at a glance: plan and use, browsers, keys, and what limits turned away."""

from dataclasses import dataclass
from datetime import datetime

from accounts import devices, plans, quotas, refusals
from accounts.models import ApiKey, Device, User
from accounts.plans import Standing
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

    standing: Standing
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
    return Glance(
        standing=plans.standing(user, at=now),
        usage=quotas.usage(user, now=now),
        devices=browsers,
        keys=[KeySeen(key, refused.get(f"key:{key.pk}")) for key in held],
        refused=refused.get(own),
    )
