"""How often a user's browser or key was turned away by a limit today, and by which rule.

Kept in the cache for a day: told to whoever wonders, never decided by.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.cache import cache

from project.core.limits import Verdict
from project.core.moments import stamp

_LIFE_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Refused:
    """What limits turned away of one caller today, UTC.

    Attributes:
        count: how many requests.
        rule: the last one that said no; ``limit`` is what it allows.
        limit: as above.
        at: when it last did.
    """

    count: int
    rule: str
    limit: int
    at: datetime


def note(who: str, verdict: Verdict, *, now: datetime) -> None:
    """Note that ``who`` (``key:…`` or ``user:…``) was turned away; addresses are not kept."""
    if not who.startswith(("key:", "user:")):
        return
    name = _name(who, now)
    cache.add(name, 0, _LIFE_S)
    try:
        cache.incr(name)
    except ValueError:  # it vanished between the two
        return
    last = {"rule": verdict.rule, "limit": verdict.limit, "at": stamp(now)}
    cache.set(f"{name}/last", last, _LIFE_S)


def today(callers: Iterable[str], *, now: datetime) -> dict[str, Refused]:
    """Return what was turned away today of each of ``callers`` of whom anything was."""
    names = {who: _name(who, now) for who in callers}
    found = cache.get_many([key for name in names.values() for key in (name, f"{name}/last")])
    told: dict[str, Refused] = {}
    for who, name in names.items():
        count: Any = found.get(name)
        last: Any = found.get(f"{name}/last")
        if count and last:
            at = datetime.fromisoformat(last["at"])
            told[who] = Refused(int(count), last["rule"], last["limit"], at)
    return told


def _name(who: str, now: datetime) -> str:
    return f"refused/{who}/{now:%Y%m%d}"
