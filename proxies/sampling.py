"""Remembering how the pools look, each minute; what is old is kept coarser, then forgotten."""

from bisect import bisect_right
from collections import Counter
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Avg, Count, F, Min
from django.utils import timezone

from project.core.working import Work
from proxies import forgetting
from proxies.choices import ALL_POOLS, Grain, Pool, ProxyState
from proxies.models import Lease, PoolSnapshot, Proxy, SourceFetch

#: How many proxies have which value.
Tally = Counter[float]

_SCORES: Final = {"score_p10": 0.1, "score_p50": 0.5, "score_p90": 0.9}
_LATENCIES: Final = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
_COUNTED: Final = ("size", "leases", "unproven", "failing", "retired")
_NEXT: Final = {Grain.MINUTE: Grain.TEN_MINUTES, Grain.TEN_MINUTES: Grain.HOUR}
#: So much time is thinned in one transaction.
_PORTION_S: Final = 86_400
_AT_ONCE: Final = 5_000


def run(work: Work) -> None:
    """Remember this minute, and thin what is old."""
    now = timezone.now()
    take(now=now)
    counts = {**thin(now=now), "proxies_forgotten": forgetting.forget(now=now)}
    work.report(counts={**counts, **forgetting.forget_history(now=now)})


def take(*, now: datetime) -> list[PoolSnapshot]:
    """Write how the pools look now; a minute that was written stays as it is."""
    second = int(now.timestamp()) // Grain.MINUTE * Grain.MINUTE
    figures = look(now=now)
    rows = [PoolSnapshot(second=second, pool=pool, **found) for pool, found in figures.items()]
    return PoolSnapshot.objects.bulk_create(rows, ignore_conflicts=True)


def look(*, now: datetime) -> dict[str, dict[str, float | None]]:
    """Return sizes, scores and latencies by pool; one row of the table at a time.

    Scores count to a tenth, latencies to a millisecond: so a pool of any size takes as little room.
    """
    scores: dict[str, Tally] = {pool: Counter() for pool in Pool.values}
    latencies: dict[str, Tally] = {pool: Counter() for pool in Pool.values}
    sizes = dict.fromkeys(Pool.values, 0)
    healthy = Proxy.objects.healthy().order_by().values_list("pool", "score", "latency_ms")
    for pool, score, latency_ms in healthy.iterator(_AT_ONCE):
        sizes[pool] += 1
        if score is not None:
            scores[pool][round(score, 1)] += 1
        if latency_ms is not None:
            latencies[pool][float(round(latency_ms))] += 1
    leases = _leases(now)
    found = {
        pool: {
            "size": float(sizes[pool]),
            "leases": float(leases.get(pool, 0)),
            **_shares(scores[pool], _SCORES),
            **_shares(latencies[pool], _LATENCIES),
        }
        for pool in Pool.values
    }
    found[ALL_POOLS] = {
        "size": float(sum(sizes.values())),
        "leases": float(sum(leases.values())),
        **_states(),
        **_shares(sum(scores.values(), Counter()), _SCORES),
        **_shares(sum(latencies.values(), Counter()), _LATENCIES),
    }
    return found


def _leases(now: datetime) -> dict[str, int]:
    rows = Lease.objects.standing(at=now).order_by().values_list("pool")
    return dict(rows.annotate(count=Count("pk")))


def _states() -> dict[str, float | None]:
    rows = Proxy.objects.order_by().values_list("state").annotate(count=Count("pk"))
    known: dict[str, int] = dict(rows)
    wanted = (ProxyState.UNPROVEN, ProxyState.FAILING, ProxyState.RETIRED)
    return {str(state): float(known.get(state, 0)) for state in wanted}


def _shares(values: Tally, wanted: dict[str, float]) -> dict[str, float | None]:
    """Return percentiles by name: the smallest value that so many are not above."""
    if not values:
        return dict.fromkeys(wanted)
    ordered = sorted(values)
    counts = list(accumulate(values[value] for value in ordered))  # how many are no larger
    return {
        name: ordered[bisect_right(counts, min(counts[-1] - 1, int(share * counts[-1])))]
        for name, share in wanted.items()
    }


def thin(*, now: datetime) -> dict[str, int]:
    """Replace rows that are old enough by averages over the next grain; forget the oldest.

    Returns:
        How many rows were thinned, made and forgotten.
    """
    now_s = int(now.timestamp())
    kept = forgetting.kept_s()
    found = {"thinned": 0, "made": 0}
    for grain, coarser in _NEXT.items():
        before_s = (now_s - kept[grain]) // coarser * coarser
        while portion := _portion(grain, before_s):
            thinned, made = _coarsen(grain, coarser, *portion)
            found["thinned"] += thinned
            found["made"] += made
    old = PoolSnapshot.objects.filter(second__lt=now_s - kept[Grain.HOUR])
    fetches = SourceFetch.objects.filter(at__lt=now - timedelta(days=settings.PROXY_FETCH_DAYS))
    gone = old.order_by().delete()[0] + fetches.order_by().delete()[0]
    return {**found, "forgotten": gone}


def _portion(grain: Grain, before_s: int) -> tuple[int, int] | None:
    """Return the oldest stretch of time that has rows to thin."""
    rows = PoolSnapshot.objects.filter(grain_s=grain, second__lt=before_s)
    first: int | None = rows.aggregate(first=Min("second"))["first"]
    if first is None:
        return None
    start = first // _PORTION_S * _PORTION_S
    return start, min(start + _PORTION_S, before_s)


def _coarsen(grain: Grain, coarser: Grain, start: int, end: int) -> tuple[int, int]:
    rows = PoolSnapshot.objects.filter(grain_s=grain, second__gte=start, second__lt=end).order_by()
    bucket = F("second") - F("second") % int(coarser)
    names = (*_COUNTED, *_SCORES, *_LATENCIES)
    averages: dict[str, Any] = {f"{name}__mean": Avg(name) for name in names}
    grouped: Any = rows.annotate(bucket=bucket).values("bucket", "pool").annotate(**averages)
    with transaction.atomic():
        made = [
            PoolSnapshot(
                second=row["bucket"],
                grain_s=coarser,
                pool=row["pool"],
                **{name: row[f"{name}__mean"] for name in names},
            )
            for row in grouped
        ]
        PoolSnapshot.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)
        return rows.delete()[0], len(made)
