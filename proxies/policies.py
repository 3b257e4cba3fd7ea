"""The policy of each pool: as staff have it, else the usual one."""

from typing import Any, Final

from proxies.choices import Pool
from proxies.models import PoolPolicy

#: What a fresh installation has, and what counts for a pool whose row is missing.
USUAL: Final[dict[str, dict[str, Any]]] = {
    Pool.HOT: {
        "enter_score": 80.0,
        "leave_score": 70.0,
        "lease_ttl_s": 20,
        "cool_down_s": 15,
        "check_every_s": 300,
    },
    Pool.WARM: {
        "enter_score": 50.0,
        "leave_score": 40.0,
        "lease_ttl_s": 30,
        "cool_down_s": 30,
        "check_every_s": 600,
    },
    Pool.COLD: {
        "enter_score": 0.0,
        "leave_score": 0.0,
        "lease_ttl_s": 45,
        "cool_down_s": 60,
        "check_every_s": 1800,
    },
}


def every() -> dict[str, PoolPolicy]:
    """Return the policies by pool, the best pool first; one query."""
    known = {policy.pool: policy for policy in PoolPolicy.objects.all()}
    return {
        pool.value: known.get(pool) or PoolPolicy(pool=pool, **USUAL[pool])
        for pool in (Pool.HOT, Pool.WARM, Pool.COLD)
    }


def of(pool: str) -> PoolPolicy:
    """Return the policy of one pool."""
    return PoolPolicy.objects.filter(pool=pool).first() or PoolPolicy(pool=pool, **USUAL[pool])


def chain(pool: str) -> list[PoolPolicy]:
    """Return the policies of the pools to look in: the one asked for, else all, best first."""
    return [of(pool)] if pool else list(every().values())
