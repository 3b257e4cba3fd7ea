"""What holds for each pool where its policy in the admin is silent, and for how long history is kept."""

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

#: Days for which the pools' history is kept by the minute, by ten minutes, by the hour.
PROXY_CHART_DAYS = env.numbers("PROXY_CHART_DAYS", "2,21,366", count=3, at_least=0.1)
#: Days for which checks are kept; failed ones, which are many, for fewer.
PROXY_CHECK_DAYS = env.number("PROXY_CHECK_DAYS", 14, at_least=0.1)
PROXY_FAILED_CHECK_DAYS = env.number("PROXY_FAILED_CHECK_DAYS", 2, at_least=0.1)
#: Days for which ended leases, and what was mended of them, are kept: uses in a window of at most
#: a day are counted by them.
PROXY_LEASE_DAYS = env.number("PROXY_LEASE_DAYS", 30, at_least=2)
#: Days after its last use for which a sticky session keeps its proxy.
PROXY_SESSION_DAYS = env.number("PROXY_SESSION_DAYS", 7, at_least=0.1)
#: Days for which it is told what fetches of sources came to.
PROXY_FETCH_DAYS = env.number("PROXY_FETCH_DAYS", 30, at_least=0.1)
#: Days for which snapshots are kept that were sent, or received; what waits is kept for ever.
ETL_DAYS = env.number("ETL_DAYS", 30, at_least=0.1)
