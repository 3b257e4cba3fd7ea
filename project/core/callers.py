"""Who asks: the one shape in which edges tell verbs about the caller."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or program that asks for something.

    Attributes:
        user_id: the user's primary key; None is nobody.
        is_staff: may do everything: a staff user's cookie, or their key with scope ``admin``.
        scopes: what an API key allows; None for a person's session, which allows all.
        key_id: the API key's primary key, where one was used.
    """

    user_id: int | None = None
    is_staff: bool = False
    scopes: frozenset[str] | None = field(default=None)
    key_id: int | None = None

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
