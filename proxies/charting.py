"""What the overview of the pools draws: its history, its countries, its targets, its sources."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import iso3166
from django.db.models import Avg, CharField, Count, F, Func, Max, Q
from django.urls import reverse

from project.core import charting
from project.core.moments import stamp
from proxies import forgetting
from proxies.choices import (
    ALL_POOLS,
    FetchOutcome,
    Grain,
    Outcome,
    Pool,
    ProxyState,
)
from proxies.models import Lease, PoolSnapshot, Proxy, ProxySource, SourceFetch

#: Minutes shown, and what they are called.
SPANS: Final = ((60, "1 h"), (1_440, "1 day"), (10_080, "7 days"), (129_600, "90 days"))
#: A pool that is known for less than that is shown by the hour: on a day's chart it would be a speck.
YOUNG: Final = timedelta(hours=2)
RECENT: Final = timedelta(hours=24)
#: Targets and sources that are shown.
MOST: Final = 20
_ALL_SERIES: Final = (
    *("score_p10", "score_p50", "score_p90"),
    *("latency_p50", "latency_p95", "latency_p99"),
    *("leases", "unproven", "failing"),
)


def first_span(*, now: datetime) -> int:
    """Return how many minutes the overview shows at first."""
    known = PoolSnapshot.objects.filter(second__lt=(now - YOUNG).timestamp())
    return SPANS[1][0] if known.filter(grain_s__in=Grain.values).exists() else SPANS[0][0]


def history(*, minutes: int, now: datetime) -> dict[str, Any]:
    """Return times and one list per series; null where nothing was known.

    Where moments are missing, since the installation stood still, one without values stands for
    them, so that no line is drawn across.

    Args:
        minutes: how far back.
        now: the moment, UTC.

    Returns:
        ``seconds`` with ``series`` by name, and the moments ``from`` and ``until`` that were asked.
    """
    minutes = max(1, min(minutes, SPANS[-1][0]))
    grain = charting.grain_for(minutes, kept_s=forgetting.kept_s())
    until_s = int(now.timestamp())
    since_s = until_s - minutes * 60
    points: dict[int, dict[str, float | None]] = defaultdict(dict)
    # rows of a finer grain fill in what has not become coarse yet
    for row in PoolSnapshot.objects.filter(grain_s__gte=grain).since(since_s):
        point = points[row.second]
        if row.pool == ALL_POOLS:
            point |= {name: getattr(row, name) for name in _ALL_SERIES}
        else:
            point[row.pool] = row.size
    if grain > Grain.MINUTE:
        _add_finer(points, grain, since_s)
    chosen = _broken(charting.drawn(points), len(points), grain)
    names = (*Pool.values, *_ALL_SERIES)
    known = [points.get(second, {}) for second in chosen]
    series = {name: [_rounded(point.get(name)) for point in known] for name in names}
    return {"seconds": chosen, "series": series, "from": since_s, "until": until_s}


def _broken(seconds: list[int], known: int, grain: Grain) -> list[int]:
    """Return the moments with one more in each gap; of ``known`` moments these are drawn."""
    step_s = int(grain) * max(1, round(known / max(1, len(seconds))))
    found = seconds[:1]
    for before, second in pairwise(seconds):
        if second - before > 2 * step_s:
            found.append(before + step_s)
        found.append(second)
    return found


def _add_finer(points: dict[int, dict[str, float | None]], grain: Grain, since_s: int) -> None:
    """Add what is too young to be coarse, at the beginning of each step of ``grain``."""
    finer = PoolSnapshot.objects.filter(grain_s__lt=grain).since(since_s)
    for row in finer.annotate(rest=F("second") % int(grain)).filter(rest__lt=Grain.MINUTE):
        point = points[row.second]
        if row.pool == ALL_POOLS:
            point |= {name: getattr(row, name) for name in _ALL_SERIES}
        else:
            point[row.pool] = row.size


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def countries() -> list[dict[str, Any]]:
    """Return the countries of exit addresses: by number, as maps know them, the largest first."""
    healthy = Count("pk", Q(state=ProxyState.HEALTHY))
    rows = Proxy.objects.exclude(country="").order_by().values("country")
    sized = rows.annotate(all=Count("pk"), healthy=healthy).order_by("-healthy", "-all", "country")
    page = reverse("admin:proxies_proxy_changelist")
    return [
        {
            "code": row["country"],
            "number": _number(row["country"]),
            "name": _name(row["country"]),
            "all": row["all"],
            "healthy": row["healthy"],
            "url": f"{page}?country={row['country']}",
        }
        for row in sized
    ]


def _number(code: str) -> str:
    found = iso3166.countries_by_alpha2.get(code)
    return found.numeric if found else ""


def _name(code: str) -> str:
    found = iso3166.countries_by_alpha2.get(code)
    return found.apolitical_name if found else code


class _Hour(Func):
    """The hour of a moment as text, ``2026-01-05 12``, by the database itself.

    ``TruncHour`` calls back into Python for each row on SQLite: a second for a day's leases.
    """

    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """Cut the text that the moment is kept as, in UTC."""
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 13)", **more)

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """Write it as SQLite keeps it."""
        utc = "%(expressions)s AT TIME ZONE 'UTC'"
        return self.as_sql(
            compiler, connection, template=f"TO_CHAR({utc}, 'YYYY-MM-DD HH24')", **more
        )


def targets(*, now: datetime) -> dict[str, Any]:
    """Return how leases went at each target, hour by hour of the last day.

    Returns:
        ``hours``, 24 moments, and ``rows``: a target, its leases, and per hour
        ``[leases that ended, how many of them went well]`` or null.
    """
    first = now.replace(minute=0, second=0, microsecond=0) - RECENT + timedelta(hours=1)
    hours = [first + timedelta(hours=n) for n in range(24)]
    ended = Lease.objects.filter(ended_at__gte=first).exclude(target="").exclude(outcome="")
    well = Count("pk", Q(outcome=Outcome.OK))
    rows: Any = ended.order_by().annotate(hour=_Hour("ended_at")).values("target", "hour")
    cells: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for row in rows.annotate(all=Count("pk"), well=well):
        cells[row["target"]][row["hour"]] = (row["all"], row["well"])
    busiest = sorted(cells, key=lambda name: (-_total(cells[name]), name))[:MOST]
    return {
        "hours": [stamp(hour) for hour in hours],
        "rows": [
            {
                "target": name,
                "leases": _total(cells[name]),
                "cells": [cells[name].get(f"{hour:%Y-%m-%d %H}") for hour in hours],
            }
            for name in busiest
        ],
    }


def _total(cells: Mapping[str, tuple[int, int]]) -> int:
    return sum(count for count, _ in cells.values())


def sources(*, now: datetime) -> list[dict[str, Any]]:
    """Return how the fetches of each source went in the last day, the busiest first."""
    recent = Q(fetches__at__gte=now - RECENT)
    found: Any = ProxySource.objects.annotate(
        fetched=Count("fetches", recent),
        well=Count("fetches", recent & Q(fetches__outcome=FetchOutcome.SUCCESS)),
        mean_s=Avg("fetches__took_s", filter=recent),
        longest_s=Max("fetches__took_s", filter=recent),
    )
    kinds = _error_kinds(now)
    busiest = found.filter(fetched__gt=0).order_by("-fetched", "name").only("name")[:MOST]
    return [
        {
            "name": source.name,
            "url": reverse("admin:proxies_proxysource_change", args=[source.pk]),
            "fetches": source.fetched,
            "success": round(source.well / source.fetched, 3),
            "mean_s": round(source.mean_s, 2),
            "longest_s": round(source.longest_s, 2),
            "errors": kinds.get(source.pk, {}),
        }
        for source in busiest
    ]


def _error_kinds(now: datetime) -> dict[int, dict[str, int]]:
    failed = SourceFetch.objects.filter(at__gte=now - RECENT).exclude(outcome=FetchOutcome.SUCCESS)
    rows = failed.order_by().values_list("source", "error_type", "outcome")
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for source, kind, outcome, count in rows.annotate(count=Count("pk")):
        found[source][kind or outcome] = count
    return found
