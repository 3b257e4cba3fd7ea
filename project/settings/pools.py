"""What holds for the proxies of each pool where the policy in the admin leaves a field empty."""

from project.settings import env

_POOLS = ("hot", "warm", "cold")
_USUAL: dict[str, list[float]] = {
    "enter_score": env.numbers("PROXY_ENTER_SCORE", "80,50,0", count=3),
    "leave_score": env.numbers("PROXY_LEAVE_SCORE", "70,40,0", count=3),
    "lease_ttl_s": env.numbers("PROXY_LEASE_TTL_S", "20,30,45", count=3, at_least=1),
    "max_leases": env.numbers("PROXY_MAX_LEASES", "1", count=3, at_least=1),
    "uses_per_window": env.numbers("PROXY_USES_PER_WINDOW", "0", count=3),
    "window_s": env.numbers("PROXY_WINDOW_S", "3600", count=3, at_least=1),
    "cool_down_s": env.numbers("PROXY_COOL_DOWN_S", "15,30,60", count=3),
    "check_every_s": env.numbers("PROXY_CHECK_EVERY_S", "300,600,1800", count=3, at_least=60),
}
#: What holds for each pool where staff's policy in the admin leaves a field empty.
PROXY_POLICIES: dict[str, dict[str, float]] = {
    pool: {
        field: found[number] if field.endswith("_score") else int(found[number])
        for field, found in _USUAL.items()
    }
    for number, pool in enumerate(_POOLS)
}
