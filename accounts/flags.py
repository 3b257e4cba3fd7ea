"""Which features a caller has."""

import hashlib

from accounts.models import Flag
from project.core.callers import Caller


def of(caller: Caller) -> dict[str, bool]:
    """Return every feature by name, and whether ``caller`` has it; costs two queries."""
    named = set(
        Flag.users.through.objects.filter(user_id=caller.user_id).values_list("flag_id", flat=True)
        if caller.user_id is not None
        else ()
    )
    return {flag.name: flag.pk in named or _has(flag, caller) for flag in Flag.objects.all()}


def has(caller: Caller, name: str) -> bool:
    """Say whether ``caller`` has the feature ``name``; nobody has one that isn't there."""
    return of(caller).get(name, False)


def _has(flag: Flag, caller: Caller) -> bool:
    if flag.everybody or (flag.staff and caller.is_staff):
        return True
    return caller.user_id is not None and _place(flag.name, caller.user_id) < flag.percent


def _place(name: str, user_id: int) -> int:
    """Return a user's place from 0 to 99: the same each time, another for each feature."""
    return int(hashlib.sha256(f"{name}:{user_id}".encode()).hexdigest(), 16) % 100
