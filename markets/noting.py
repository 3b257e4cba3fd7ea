"""What is kept of what was wrong with candles: a finding is one row, however often it is seen."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import F

from markets.choices import LASTING, FindingKind, Source
from markets.models import Finding, Series

#: Rows that one call writes for a kind; what is beyond is counted in the last of them.
MOST_ROWS: Final = 500
#: What the database takes for a moment; an exchange may send anything.
_GREATEST_MS: Final = 2**62


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was wrong or odd: ``[start_ms, end_ms)``.

    Attributes:
        count: candles that it stands for.
        is_stored: they were kept; else left out.
        detail: what was seen, plain JSON.
    """

    kind: FindingKind
    start_ms: int
    end_ms: int
    count: int = 1
    is_stored: bool = True
    detail: dict[str, Any] = field(default_factory=dict)


def note(series: Series, seen: Iterable[Seen], *, source: Source, now: datetime) -> int:
    """Keep what was seen; what is known already is seen once more. Return how many are new."""
    found = [one for one in seen if one.start_ms >= 0 and one.end_ms < _GREATEST_MS]
    found = [one for one in found if not _joined(series, one, now)]
    wanted = {(one.kind.value, one.start_ms): one for one in _folded(found)}
    if not wanted:
        return 0
    starts = [start for _, start in wanted]
    known = Finding.objects.filter(
        series=series, start_ms__gte=min(starts), start_ms__lte=max(starts)
    )
    pairs = {(kind, start): pk for pk, kind, start in known.values_list("pk", "kind", "start_ms")}
    again = [pk for key, pk in pairs.items() if key in wanted]
    Finding.objects.filter(pk__in=again).update(times_seen=F("times_seen") + 1, last_seen_at=now)
    new = [_row(series, one, source, now) for key, one in wanted.items() if key not in pairs]
    Finding.objects.bulk_create(new, ignore_conflicts=True)  # a rival may have seen it as well
    return len(new)


def _joined(series: Series, one: Seen, now: datetime) -> bool:
    """Let a run that is known grow by what was seen of it; False where it is none of those."""
    if one.kind not in LASTING:
        return False
    runs = Finding.objects.filter(series=series, kind=one.kind)
    known = runs.filter(start_ms__lte=one.end_ms, end_ms__gte=one.start_ms).first()
    if known is None:
        return False
    end_ms = max(known.end_ms, one.end_ms)
    start_ms = min(known.start_ms, one.start_ms)
    step_ms = (one.end_ms - one.start_ms) // one.count
    count = max(known.count, one.count, (end_ms - start_ms) // step_ms)
    Finding.objects.filter(pk=known.pk).update(
        start_ms=start_ms,
        end_ms=end_ms,
        count=count,
        times_seen=F("times_seen") + 1,
        last_seen_at=now,
    )
    return True


def _row(series: Series, one: Seen, source: Source, now: datetime) -> Finding:
    return Finding(
        series=series,
        kind=one.kind,
        start_ms=one.start_ms,
        end_ms=one.end_ms,
        count=one.count,
        is_stored=one.is_stored,
        detail=one.detail,
        source=source,
        found_at=now,
        last_seen_at=now,
    )


def _folded(seen: list[Seen]) -> list[Seen]:
    """Return at most ``MOST_ROWS`` of each kind; the last stands for those that are left out."""
    by_kind: dict[FindingKind, list[Seen]] = {}
    for one in seen:
        by_kind.setdefault(one.kind, []).append(one)
    return [one for found in by_kind.values() for one in _few(found)]


def _few(found: list[Seen]) -> list[Seen]:
    if len(found) <= MOST_ROWS:
        return found
    rest = found[MOST_ROWS - 1 :]
    last = rest[0]
    whole = Seen(
        last.kind,
        last.start_ms,
        max(one.end_ms for one in rest),
        sum(one.count for one in rest),
        last.is_stored,
        {**last.detail, "more": len(rest) - 1},
    )
    return [*found[: MOST_ROWS - 1], whole]


def settle(finding: Finding, *, user: str, note: str = "", now: datetime) -> bool:
    """Let staff say that it is right: it doesn't count any more; False when it was said before."""
    mine = Finding.objects.unsettled().filter(pk=finding.pk)
    return bool(mine.update(settled_at=now, settled_by=user, note=note[:300]))


def reopen(finding: Finding) -> bool:
    """Let a finding count again; False when it does."""
    mine = Finding.objects.filter(pk=finding.pk, settled_at__isnull=False)
    return bool(mine.update(settled_at=None, settled_by="", note=""))
