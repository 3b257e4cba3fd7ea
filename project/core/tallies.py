"""Counts of requests that pass Django's middlewares by, in the names of those that don't.

A request leaves a note; notes become counts together, soon after or when somebody reads them,
since the sixteen counters of one request cost as much as a lease. A process that is killed loses
the notes of its last moment.
"""

import asyncio
import atexit
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from django_prometheus.middleware import Metrics
from prometheus_client import Histogram

#: A note is counted at the latest so long after it was left.
COUNTED_AFTER_S: Final = 0.25


class Kind(NamedTuple):
    """What requests have in common.

    Attributes:
        view: the name of the address, as Django's resolver has it.
        method: POST, ….
        transport: ``http`` or ``https``.
        status: of the answer.
        latency: a histogram of the app's own; None: none.
    """

    view: str
    method: str
    transport: str
    status: int
    latency: Histogram | None = None


class _Note(NamedTuple):
    kind: Kind
    took_s: float
    asked_bytes: int
    told_bytes: int


_notes: Final[deque[_Note]] = deque()
_due: Final[list[asyncio.AbstractEventLoop]] = []


def note(kind: Kind, *, took_s: float, asked_bytes: int, told_bytes: int) -> None:
    """Leave a note of a request that was answered; call it in the event loop."""
    _notes.append(_Note(kind, took_s, asked_bytes, told_bytes))
    loop = asyncio.get_running_loop()
    if loop not in _due:
        _due[:] = [loop]
        loop.call_later(COUNTED_AFTER_S, _count_later)


def _count_later() -> None:
    _due.clear()
    count()


@atexit.register
def count() -> None:
    """Count what was noted: soon after by itself, and before the counters are read."""
    notes = []
    while _notes:
        try:
            notes.append(_notes.popleft())
        except IndexError:  # another thread counts, too
            break
    if not notes:
        return
    _count_all(notes)
    by_kind: dict[Kind, list[float]] = defaultdict(list)
    for one in notes:
        by_kind[one.kind].append(one.took_s)
    for kind, took_s in by_kind.items():
        _count_kind(kind, took_s)


def _count_all(notes: Sequence[_Note]) -> None:
    """Count what has no labels, as ``PrometheusBeforeMiddleware`` and its sister do."""
    to = Metrics.get_instance()
    to.requests_total.inc(len(notes))
    to.responses_total.inc(len(notes))
    to.responses_by_charset.labels(charset="utf-8").inc(len(notes))
    observe(to.requests_latency_before, [one.took_s for one in notes])
    observe(to.requests_body_bytes, [one.asked_bytes for one in notes])
    observe(to.responses_body_bytes, [one.told_bytes for one in notes])


def _count_kind(kind: Kind, took_s: Sequence[float]) -> None:
    to = Metrics.get_instance()
    count, where = len(took_s), {"view": kind.view, "method": kind.method}
    to.requests_by_method.labels(method=kind.method).inc(count)
    to.requests_by_transport.labels(transport=kind.transport).inc(count)
    to.requests_by_view_transport_method.labels(transport=kind.transport, **where).inc(count)
    to.responses_by_status.labels(status=str(kind.status)).inc(count)
    to.responses_by_status_view_method.labels(status=str(kind.status), **where).inc(count)
    observe(to.requests_latency_by_view_method.labels(**where), took_s)
    if kind.latency is not None:
        observe(kind.latency, took_s)


def observe(histogram: Histogram, values: Sequence[float]) -> None:
    """Take many values over at once, as its own ``observe`` does one by one."""
    to: Any = histogram
    bounds = to._upper_bounds  # noqa: SLF001 -- there is no public way to add many
    to._sum.inc(sum(values))  # noqa: SLF001 -- as above
    for place, count in Counter(bisect_left(bounds, value) for value in values).items():
        to._buckets[place].inc(count)  # noqa: SLF001 -- as above
