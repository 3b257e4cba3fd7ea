"""Who asks: the one shape in which edges tell verbs about the caller."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Allowance:
    """How often a caller may ask, by their plan.

    Attributes:
        plan: its name.
        is_unlimited: no limit of rate holds.
        rates: what the plan raises, by name (``Rule.raised_by``).
    """

    plan: str
    is_unlimited: bool
    rates: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or program that asks for something.

    Attributes:
        user_id: the user's primary key; None is nobody.
        is_staff: may do everything: a staff user's cookie, or their key with scope ``admin``.
        scopes: what an API key allows; None for a person's session, which allows all.
        key_id: the API key's primary key, where one was used.
        allowance: what their plan allows; None is the default plan.
    """

    user_id: int | None = None
    is_staff: bool = False
    scopes: frozenset[str] | None = field(default=None)
    key_id: int | None = None
    allowance: Allowance | None = field(default=None, compare=False, repr=False)

    @property
    def is_known(self) -> bool:
        """Whether somebody signed in or showed a key."""
        return self.user_id is not None

    def may(self, scope: str) -> bool:
        """Say whether the caller may use what ``scope`` (``proxies:read``, …, ``admin``) opens."""
        if not self.is_known:
            return False
        if scope == "admin":
            return self.is_staff
        return self.scopes is None or scope in self.scopes or self.is_staff


NOBODY = Caller()
#: The system itself: beat, the sweeper, commands typed by whoever has the machine.
SYSTEM = Caller(is_staff=True)
