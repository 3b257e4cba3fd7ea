"""Making old pool statistics coarser: seconds for an hour, ten for a day, minutes for two weeks."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Max, Min

from project.storage.choices import KEPT_S, Grain
from project.storage.models import PoolSample

#: So much time is thinned in one transaction, so that no other writer waits long.
PORTION_S: Final = 1_800
_NEXT: Final = {Grain.SECOND: Grain.TEN_SECONDS, Grain.TEN_SECONDS: Grain.MINUTE}
_KEYS: Final = {"id", "second", "grain_s", "process", "role", "alias", "findings"}
_LARGEST: Final = tuple(
    field.name
    for field in PoolSample._meta.concrete_fields  # noqa: SLF001 -- Django's documented name
    if field.name not in _KEYS
)


def thin(*, now: datetime, check: Callable[[], None] = lambda: None) -> dict[str, int]:
    """Replace rows of a grain that are old enough by rows of the next; forget the oldest.

    Args:
        now: the moment, UTC.
        check: called between two portions; raises to stop.

    Returns:
        How many rows were thinned, made and forgotten.
    """
    now_s = int(now.timestamp())
    found = {"thinned": 0, "made": 0}
    for grain, coarser in _NEXT.items():
        before_s = (now_s - KEPT_S[grain]) // coarser * coarser
        while portion := _portion(grain, before_s):
            check()
            thinned, made = _coarsen(grain, coarser, *portion)
            found["thinned"] += thinned
            found["made"] += made
    old = PoolSample.objects.filter(second__lt=now_s - KEPT_S[Grain.MINUTE])
    return {**found, "forgotten": old.order_by().delete()[0]}


def _portion(grain: Grain, before_s: int) -> tuple[int, int] | None:
    """Return the oldest stretch of time that has rows to thin."""
    rows = PoolSample.objects.filter(grain_s=grain, second__lt=before_s)
    first: int | None = rows.aggregate(first=Min("second"))["first"]
    if first is None:
        return None
    start = first // PORTION_S * PORTION_S
    return start, min(start + PORTION_S, before_s)


def _coarsen(grain: Grain, coarser: Grain, start: int, end: int) -> tuple[int, int]:
    rows = PoolSample.objects.filter(grain_s=grain, second__gte=start, second__lt=end).order_by()
    bucket = F("second") - F("second") % int(coarser)
    largest: dict[str, Any] = {f"{name}__max": Max(name) for name in _LARGEST}
    grouped: Any = rows.annotate(bucket=bucket).values("bucket", "process", "role", "alias")
    with transaction.atomic():
        made = [
            PoolSample(
                second=row["bucket"],
                grain_s=coarser,
                process=row["process"],
                role=row["role"],
                alias=row["alias"],
                **{name: row[f"{name}__max"] for name in _LARGEST},
            )
            for row in grouped.annotate(**largest)
        ]
        PoolSample.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)
        return rows.delete()[0], len(made)
