"""Whose key a request shows, for edges that need no user: one statement by hand, no row made.

Where a shared cache remembers keys it is asked instead, and no statement is needed.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from accounts import keys, noting, plans
from accounts.choices import RaisedBy
from accounts.noting import NOWHERE, Sight
from project.core import limits, lookups, statements
from project.core.callers import Allowance, Caller

_RATES: Final = tuple(RaisedBy.values)
_KNOWN: Final = f"""SELECT k.id, k.user_id, k.scopes, k.allowed_networks, u.is_staff,
       own.name, own.is_unlimited, {", ".join(f"own.{rate}" for rate in _RATES)}
FROM accounts_apikey k
JOIN accounts_user u ON u.id = k.user_id
{plans.OWN_PLAN}
WHERE k.digest = %(digest)s AND k.revoked_at IS NULL AND u.is_active
  AND (k.expires_at IS NULL OR k.expires_at > %(at)s)"""  # noqa: S608 -- no input in it


@dataclass(frozen=True, slots=True)
class _Bearer:
    caller: Caller
    networks: tuple[str, ...]


def caller(secret: str, *, now: datetime, sight: Sight = NOWHERE) -> Caller | None:
    """Return for whom a key speaks, as ``keys.recognise`` does; None for one that doesn't hold."""
    if lookups.is_shared():
        known = keys.recognise(secret, now=now, sight=sight)
        return known[1] if known is not None else None
    values = {"digest": keys.digest(secret), "at": statements.moment(now)}
    row = statements.one(_KNOWN, values)
    if row is None:
        return None
    bearer = _bearer(row)
    if bearer.networks and not limits.is_in(sight.address, bearer.networks):
        return None
    noting.key_used(row[0], sight, user_id=row[1], now=now)
    return bearer.caller


@lru_cache(maxsize=1024)
def _bearer(row: tuple[Any, ...]) -> _Bearer:
    """Return what a row says: equal rows say the same."""
    key_id, user_id, scopes, networks, is_staff, plan, is_unlimited, *rates = row
    may = frozenset(str(scope) for scope in json.loads(scopes))
    if is_staff:
        allowance: Allowance | None = plans.STAFF
    elif plan is None:
        allowance = None
    else:
        numbers = dict(zip(_RATES, rates, strict=True))
        allowance = plans.allowance_from(plan, is_unlimited=bool(is_unlimited), numbers=numbers)
    caller = keys.bearer(
        user_id, is_staff=bool(is_staff), scopes=may, key_id=key_id, allowance=allowance
    )
    return _Bearer(caller, tuple(json.loads(networks)))
