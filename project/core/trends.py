"""How the key figures of the dashboard went: remembered every few minutes, drawn for a day."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from django.core.cache import cache

from project.core import figures
from project.core.figures import Figure
from project.core.models import FigureSample
from project.core.working import Work

SHOWN: Final = timedelta(hours=24)
KEPT: Final = timedelta(days=8)
#: A trend has at most so many points.
POINTS: Final = 48
#: Trends are read anew so often; the figures themselves are always current.
_FRESH_S: Final = 60
_NUMBER: Final = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def amount_of(figure: Figure) -> float | None:
    """Return the number that a figure shows, e.g. 1024.0 of ``"1,024"``; None where it has none."""
    if figure.amount is not None:
        return figure.amount
    found = _NUMBER.search(figure.value)
    return float(found.group().replace(",", "")) if found else None


def remember(work: Work, *, now: datetime) -> None:
    """Write down all figures as they are, and drop the oldest."""
    found = [(figure.name, amount_of(figure)) for figure in figures.current(now=now)]
    rows = [
        FigureSample(name=name, at=now, amount=amount)
        for name, amount in found
        if amount is not None
    ]
    FigureSample.objects.bulk_create(rows, ignore_conflicts=True)
    dropped, _ = FigureSample.objects.filter(at__lt=now - KEPT).delete()
    work.report(counts={"figures": len(rows), "dropped": dropped})


def of_all(*, now: datetime) -> dict[str, list[float]]:
    """Return the last day of each figure by name, as means of half hours, the oldest first."""
    rows = FigureSample.objects.filter(at__gte=now - SHOWN).order_by("name", "at")
    step_s = SHOWN.total_seconds() / POINTS
    found: dict[str, list[float]] = {}
    for name, samples in groupby(rows.values_list("name", "at", "amount"), key=lambda row: row[0]):
        slots: dict[int, list[float]] = {}
        for _, at, amount in samples:
            slots.setdefault(int((now - at).total_seconds() // step_s), []).append(amount)
        found[name] = [sum(each) / len(each) for _, each in sorted(slots.items(), reverse=True)]
    return found


def current(*, now: datetime) -> list[Figure]:
    """Return all figures, each with its trend."""
    known = cache.get("trends")
    if known is None:
        known = of_all(now=now)
        cache.set("trends", known, _FRESH_S)
    return [_with_trend(figure, known.get(figure.name, [])) for figure in figures.current(now=now)]


def _with_trend(figure: Figure, points: list[float]) -> Figure:
    amount = amount_of(figure)
    if amount is None or not points:
        return figure
    return replace(figure, trend=[round(each, 2) for each in [*points, amount]])
