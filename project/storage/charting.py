"""What the live chart of the pools draws: rows of the database, and this process's own present."""

from collections import defaultdict
from datetime import datetime
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Max, Sum

from project.core import charting, processes
from project.db import watching
from project.storage.choices import KEPT_S, Grain
from project.storage.models import PoolSample

#: Minutes shown, and what they are called.
SPANS: Final = ((5, "5 min"), (60, "1 h"), (1_440, "1 day"), (20_160, "14 days"))
#: Name, label and how the values of several processes come together.
SERIES: Final = (
    ("in_use", "in use", "sum"),
    ("idle", "idle", "sum"),
    ("waiting", "waiting", "sum"),
    ("wait_p50_seconds", "wait P50", "max"),
    ("wait_p95_seconds", "wait P95", "max"),
    ("wait_p99_seconds", "wait P99", "max"),
    ("use_p95_seconds", "use P95", "max"),
    ("errors_total", "errors", "sum"),
)
_ERRORS: Final = tuple(
    field.name
    for field in PoolSample._meta.concrete_fields  # noqa: SLF001 -- Django's documented name
    if field.name.startswith("errors_")
)

Point = dict[str, Any]


def feed(*, minutes: int, now: datetime) -> dict[str, Any]:
    """Return the chart's data: times, one list per series, the processes and the findings.

    Args:
        minutes: how far back.
        now: the moment, UTC.
    """
    minutes = max(1, min(minutes, SPANS[-1][0]))
    now_s = int(now.timestamp())
    grain = charting.grain_for(minutes, kept_s=KEPT_S)
    points = _points(grain, now_s - minutes * 60)
    if grain == Grain.SECOND:
        points = _with_own_present(points, now_s - minutes * 60)
    chosen = charting.drawn(points)
    return {
        "seconds": chosen,
        "series": {
            name: [round(points[second].get(name) or 0, 5) for second in chosen]
            for name, _, _ in SERIES
        },
        "findings": [
            {"name": finding.name, "severity": str(finding.severity), "text": finding.explanation}
            for finding in watching.of(DEFAULT_DB_ALIAS).findings
        ],
    }


def _points(grain: Grain, since_s: int) -> dict[int, Point]:
    """Return the values of all processes together, by second."""
    rows = PoolSample.objects.filter(grain_s=grain, alias=DEFAULT_DB_ALIAS)
    together: dict[str, Any] = {
        name: {"sum": Sum, "max": Max}[how](name)
        for name, _, how in SERIES
        if name != "errors_total"
    }
    errors = {name: Sum(name) for name in _ERRORS}
    grouped: Any = rows.since(since_s).order_by("second").values("second")
    found: dict[int, Point] = {}
    for row in grouped.annotate(**together, **errors):
        second = row.pop("second")
        row["errors_total"] = sum(row.pop(name) or 0 for name in _ERRORS)
        found[second] = row
    return found


def _with_own_present(points: dict[int, Point], since_s: int) -> dict[int, Point]:
    """Add the seconds that are not written yet, as far as this process knows them."""
    written = max(points, default=since_s)
    others = _others_at(written)
    for found in list(watching.of(DEFAULT_DB_ALIAS).series):
        second = int(found.at.timestamp())
        if second <= written:
            continue
        figures: Point = {**found.figures(), "errors_total": found.errors_total}
        points[second] = {
            name: figures[name] + (others[name] if how == "sum" else 0) for name, _, how in SERIES
        }
    return points


def _others_at(second: int) -> dict[str, float]:
    """Return what the other processes had when they last wrote: they write every ten seconds."""
    found: dict[str, float] = defaultdict(float)
    rows = PoolSample.objects.filter(
        grain_s=Grain.SECOND, alias=DEFAULT_DB_ALIAS, second=second
    ).exclude(process=processes.own_name())
    for row in rows:
        for name, _, how in SERIES:
            if how == "sum":
                found[name] += (
                    sum(getattr(row, error) for error in _ERRORS)
                    if name == "errors_total"
                    else getattr(row, name)
                )
    return found
