"""The queue of repairs: tasks from gaps or people, none made twice, the most urgent first."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from markets import configuring, kinds, ledger, timeframes
from markets.choices import GapState, Origin, TaskStatus
from markets.ledger import Range
from markets.models import BackfillTask, Candle, Gap, Series
from markets.timeframes import Timeframe
from project.core import runs
from project.core.callers import SYSTEM, Caller
from project.core.choices import UNENDED as RUN_UNENDED
from project.core.choices import RunStatus
from project.core.errors import ConflictError, FieldProblem, InvalidInputError, NotFoundError
from project.core.models import Run
from project.core.moments import from_ms, to_ms

#: A task covers at most so many candles; longer gaps are cut.
PIECE: Final = 10_000
#: Candles that one asked-for range may cover.
MOST_CANDLES: Final = 5_000_000
#: Runs of tasks that are under way at once, so that a thousand gaps don't fill the queue.
AT_ONCE: Final = 8
#: Failed tasks that one call tries again.
MOST_RETRIES: Final = 1_000
#: Failures that come again with every attempt.
FOR_GOOD: Final = (
    "exchange_refused",
    "unknown_symbol",
    "unknown_exchange",
    "not_authorised",
    "bad_collector",
    "bad_range",
)


class BadRangeError(InvalidInputError):
    """The range can't be backfilled."""

    code = "bad_range"
    title = "This range can't be backfilled"


class TaskNotFoundError(NotFoundError):
    """There is no such task."""

    title = "No such backfill task"


class TaskNotFailedError(ConflictError):
    """Only a failed task is tried again by hand."""

    code = "task_not_failed"
    title = "The task has not failed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A range that somebody asks for: ``[start, end)``, widened to the grid."""

    series: Series
    start_ms: int
    end_ms: int
    priority: int = 50
    origin: Origin = Origin.API


def ask(wanted: Wanted, *, by: Caller, now: datetime) -> BackfillTask:
    """Make a task for a range and start it at once.

    Raises:
        BadRangeError: empty, too long, or in the future.
        BadCollectorError: no collector tells how to ask for the series.
    """
    grid = timeframes.of(wanted.series.timeframe)
    start, end = _span(grid, wanted, to_ms(now))
    configuring.collector_of(wanted.series)
    with transaction.atomic():
        ledger.lock(wanted.series)
        task = BackfillTask.objects.create(
            series=wanted.series,
            start_ms=start,
            end_ms=end,
            stored_before=Candle.objects.filter(series=wanted.series).within(start, end).count(),
            priority=wanted.priority,
            origin=wanted.origin,
            requested_by_id=by.user_id,
            created_at=now,
        )
        mine = Gap.objects.filter(series=wanted.series, state=GapState.OPEN)
        mine.touching(start, end).update(state=GapState.FILLING)
        start_one(task, by=by, now=now)
    return task


def _span(grid: Timeframe, wanted: Wanted, now_ms: int) -> tuple[int, int]:
    """Return the range on the grid, without what has not begun yet.

    Raises:
        BadRangeError: empty, too long, before 1970, or in the future.
    """
    if wanted.start_ms >= wanted.end_ms:
        wrong = FieldProblem("end", "empty_range", "must be after start")
    elif wanted.start_ms < 0:
        wrong = FieldProblem("start", "out_of_range", "must not be before 1970")
    elif wanted.start_ms >= now_ms:
        wrong = FieldProblem("start", "in_the_future", "must not be in the future")
    else:
        start, end = grid.floor(wanted.start_ms), grid.ceil(min(wanted.end_ms, now_ms))
        if grid.count(max(0, start), end) <= MOST_CANDLES:
            return max(0, start), end
        wrong = FieldProblem("start", "too_long", f"at most {MOST_CANDLES:,} candles at once")
    raise BadRangeError(f"{wrong.field}: {wrong.detail}", fields=(wrong,))


def make_tasks(
    series: Series,
    *,
    now: datetime,
    any_time: bool = False,
    only: Sequence[int] | None = None,
) -> list[BackfillTask]:
    """Make tasks for the gaps of a series that are due: adjoining merged, long ones cut.

    The gaps are claimed in the same transaction, so rivals make none twice.

    Args:
        series: whose gaps.
        now: the moment, UTC.
        any_time: open gaps that are to be looked at later only, too: staff ask for it.
        only: primary keys of the gaps that are meant; None: all.
    """
    grid = timeframes.of(series.timeframe)
    with transaction.atomic():
        ledger.lock(series)
        found = Gap.objects.filter(series=series, state=GapState.OPEN).order_by("start_ms")
        found = found if any_time else found.due(at=now)
        due = list(found if only is None else found.filter(pk__in=only))
        claimed = [
            gap
            for gap in due
            if Gap.objects.filter(pk=gap.pk, state=GapState.OPEN).update(state=GapState.FILLING)
        ]
        spans = cut(merged([(gap.start_ms, gap.end_ms) for gap in claimed]), grid)
        return BackfillTask.objects.bulk_create(
            [
                BackfillTask(series=series, start_ms=start, end_ms=end, created_at=now)
                for start, end in spans
            ]
        )


def merged(spans: Sequence[Range]) -> list[Range]:
    """Return ascending spans with those that touch made one."""
    found: list[Range] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def cut(spans: Sequence[Range], grid: Timeframe) -> list[Range]:
    """Return spans of at most ``PIECE`` candles that make up ``spans``."""
    return [part for start, end in spans for part in grid.windows(start, end, limit=PIECE)]


def start_due(*, now: datetime, by: Caller = SYSTEM) -> int:
    """Start the most urgent tasks that wait, as far as there is room; return how many.

    Tasks whose run ended without a word are put back first.
    """
    recover(now=now)
    busy = Run.objects.unended().filter(kind=kinds.BACKFILL.name).exclude(subject_type="")
    room = AT_ONCE - busy.count()
    if room <= 0:
        return 0
    started = 0
    waiting = BackfillTask.objects.due(at=now).most_urgent_first().select_related("series")
    for task in waiting[: 4 * AT_ONCE]:
        if started >= room:
            break
        started += bool(start_one(task, by=by, now=now))
    return started


def start_one(task: BackfillTask, *, by: Caller, now: datetime) -> Run | None:
    """Ask for a run of a task that waits; None when it has one already."""
    wanted = runs.Ask(
        kind=kinds.BACKFILL.name,
        subject=subject_of(task),
        about=("markets.backfilltask", task.pk),
        payload={"task_id": task.pk},
        exclusive_key=f"backfill:{task.pk}",
    )
    try:
        with transaction.atomic():
            run = runs.submit(wanted, by=by, now=now)
            waiting = BackfillTask.objects.filter(pk=task.pk, status=TaskStatus.PENDING)
            waiting.update(run_id=run.pk)
    except runs.AlreadyRunningError:
        return None
    task.run_id = run.pk
    return run


def subject_of(task: BackfillTask) -> str:
    """Return what a task is about, for people."""
    start, end = from_ms(task.start_ms), from_ms(task.end_ms)
    return f"{task.series} {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


def recover(*, now: datetime) -> int:
    """Put right tasks whose run ended without telling them; return how many.

    One that was at work when its worker was given up waits again; one whose run somebody
    canceled has failed.
    """
    unended = dict(BackfillTask.objects.unended().exclude(run_id=None).values_list("pk", "run_id"))
    found = Run.objects.filter(pk__in=[key for key in unended.values() if key])
    states = dict(found.values_list("pk", "status"))
    put_right = 0
    for pk, run_id in unended.items():
        state = states.get(run_id) if run_id else None
        mine = BackfillTask.objects.filter(pk=pk, run_id=run_id)
        if state == RunStatus.CANCELED:
            put_right += _fail_canceled(mine.unended(), now)
        elif state not in RUN_UNENDED:
            running = mine.filter(status=TaskStatus.RUNNING)
            put_right += running.update(
                status=TaskStatus.PENDING, claim_attempt=None, next_try_at=now
            )
    return put_right


def _fail_canceled(mine: QuerySet[BackfillTask], now: datetime) -> int:
    task = mine.select_related("series").first()
    if task is None:
        return 0
    why = {"error_type": "canceled", "error_message": "the run was canceled"}
    with transaction.atomic():
        ledger.lock(task.series)
        ended = mine.update(status=TaskStatus.FAILED, claim_attempt=None, ended_at=now, **why)
        if ended:
            release_gaps(task, now=now)
    return ended


def release_gaps(task: BackfillTask, *, now: datetime, error: str = "") -> None:
    """Open the gaps of a task that has ended, unless another task is at them, for a later look."""
    filling = Gap.objects.filter(series=task.series, state=GapState.FILLING)
    others = BackfillTask.objects.filter(series=task.series).unended().exclude(pk=task.pk)
    for gap in filling.touching(task.start_ms, task.end_ms):
        if others.filter(start_ms__lt=gap.end_ms, end_ms__gt=gap.start_ms).exists():
            continue
        ledger.put_off([gap], now=now, error=error)
        Gap.objects.filter(pk=gap.pk, state=GapState.FILLING).update(state=GapState.OPEN)


def find(task_id: int) -> BackfillTask:
    """Return a task.

    Raises:
        TaskNotFoundError: there is none.
    """
    found = BackfillTask.objects.select_related("series__market__exchange").filter(pk=task_id)
    task = found.first()
    if task is None:
        raise TaskNotFoundError(f"no backfill task {task_id}")
    return task


def retry_failed_tasks(
    *, now: datetime, by: Caller = SYSTEM, anything: bool = False, since: datetime | None = None
) -> int:
    """Try failed tasks again, the most urgent first; return how many.

    Args:
        now: the moment, UTC.
        by: who asks.
        anything: those that failed for good, too; else only where the failure may have passed.
        since: only those that failed since then; None: all.
    """
    failed = BackfillTask.objects.filter(status=TaskStatus.FAILED).exclude(error_type="canceled")
    if not anything:
        failed = failed.exclude(error_type__in=FOR_GOOD)
    if since is not None:
        failed = failed.filter(ended_at__gte=since)
    retried = 0
    for task in failed.most_urgent_first().select_related("series")[:MOST_RETRIES]:
        with suppress(TaskNotFailedError):  # a rival was quicker
            requeue(task, now=now)
            retried += 1
    start_due(now=now, by=by)
    return retried


def requeue(task: BackfillTask, *, now: datetime) -> None:
    """Let a failed task wait again, from where it stopped; ``start_due`` starts it in its turn.

    Raises:
        TaskNotFailedError: it waits, works, or is completed.
    """
    failed = BackfillTask.objects.filter(pk=task.pk, status=TaskStatus.FAILED)
    changes = {"status": TaskStatus.PENDING, "ended_at": None, "next_try_at": now}
    with transaction.atomic():
        ledger.lock(task.series)
        if not failed.update(attempts=0, error_type="", error_message="", **changes):
            raise TaskNotFailedError(f"task {task.pk} is {task.status}")
        mine = Gap.objects.filter(series=task.series, state=GapState.OPEN)
        mine.touching(task.start_ms, task.end_ms).update(state=GapState.FILLING)


def retry(task: BackfillTask, *, by: Caller, now: datetime) -> BackfillTask:
    """Try a failed task again, at once, from where it stopped.

    Raises:
        TaskNotFailedError: it waits, works, or is completed.
    """
    with transaction.atomic():
        requeue(task, now=now)
        start_one(task, by=by, now=now)
    task.refresh_from_db()
    return task
