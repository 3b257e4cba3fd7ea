"""The policy of each pool: as staff have it, and where they left a field empty as settings say."""

from typing import Any, Final, NamedTuple

from django.conf import settings

from project.core import statements
from proxies.choices import Exclusivity, Pool

#: Best first: without a named pool they are tried in this order.
_ORDER: Final = (Pool.HOT.value, Pool.WARM.value, Pool.COLD.value)


class Policy(NamedTuple):
    """How proxies of one pool are ranked, lent, rested and checked.

    Attributes:
        pool: its name.
        enter_score: a proxy rises into the pool at this score.
        leave_score: and falls out of it below this one.
        lease_ttl_s: unless the holder says otherwise.
        max_leases: at once, per proxy.
        uses_per_window: most leases of a proxy in any ``window_s`` seconds; 0: any number.
        window_s: see there.
        cool_down_s: rest of a proxy that failed a holder.
        check_every_s: time between two checks.
        exclusive_by: what a lease keeps from others, an ``Exclusivity``.
        is_per_target: holders with different targets may share a proxy; uses count per target.
    """

    pool: str
    enter_score: float
    leave_score: float
    lease_ttl_s: int
    max_leases: int
    uses_per_window: int
    window_s: int
    cool_down_s: int
    check_every_s: int
    exclusive_by: str
    is_per_target: bool


_FIELDS: Final = Policy._fields
_READ: Final = f"SELECT {', '.join(_FIELDS)} FROM proxies_poolpolicy"  # noqa: S608 -- no input in it

_CHAIN: Final = f"""SELECT {", ".join(_FIELDS)}, EXISTS (
  SELECT 1 FROM proxies_proxy p WHERE p.state = 'healthy' AND p.pool = proxies_poolpolicy.pool)
FROM proxies_poolpolicy"""  # noqa: S608 -- no input in it


def usual(pool: str) -> Policy:
    """Return what settings and environment say of a pool."""
    return _effective((pool,) + (None,) * (len(_FIELDS) - 1))


def every() -> dict[str, Policy]:
    """Return the policies by pool, the best pool first; one query, by hand: leases wait for it."""
    known = {row[0]: _effective(row) for row in statements.every(_READ, {})}
    return {pool: known.get(pool) or usual(pool) for pool in _ORDER}


def of(pool: str) -> Policy:
    """Return the policy of one pool."""
    return every()[pool]


def chain(pool: str) -> list[Policy]:
    """Return the policies of the pools to look in: the one asked for, else all, best first.

    One query, which leaves out pools without a healthy proxy.
    """
    rows = {row[0]: row for row in statements.every(_CHAIN, {})}
    known = {
        name: _effective(rows[name][:-1]) if name in rows else usual(name)
        for name in ((pool,) if pool else _ORDER)
        if name not in rows or rows[name][-1]
    }
    return list(known.values())


def _effective(row: tuple[Any, ...]) -> Policy:
    usual_ones = settings.PROXY_POLICIES[row[0]]
    known = {name: value for name, value in zip(_FIELDS, row, strict=True) if value is not None}
    found: dict[str, Any] = {**usual_ones, "exclusive_by": Exclusivity.ENDPOINT.value, **known}
    return Policy(**{**found, "is_per_target": bool(found.get("is_per_target"))})
