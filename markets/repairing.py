"""Doing one attempt at a backfill task: claimed once, fenced, resumed where it stopped."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from markets import (
    asking,
    backfilling,
    configuring,
    ledger,
    partitions,
    reviewing,
    storing,
    summarising,
    timeframes,
)
from markets.asking import Line, Tools
from markets.checking import Page
from markets.choices import GapState, Source, TaskStatus
from markets.errorlog import About
from markets.ledger import Range
from markets.models import BackfillTask, Candle, Gap
from markets.paging import Pager
from markets.rows import Row
from markets.storing import Stored
from project.core.errors import AppError, PermanentError, TransientError
from project.core.working import StopWorkError, Work

#: Attempts at a task before it fails for good.
MAX_ATTEMPTS: Final = 8
RETRY_AFTER: Final = timedelta(seconds=30)
RETRY_MOST: Final = timedelta(hours=1)
#: The daily job tries tasks again that failed no longer ago.
RETRIED_FOR: Final = timedelta(days=7)


class AttemptFailedError(PermanentError):
    """This attempt at a task failed; the task says when it is tried again."""

    code = "attempt_failed"
    title = "The attempt failed"


def take(task_id: int, work: Work) -> BackfillTask | None:
    """Claim a task for a run; None when it has ended, or another run has it."""
    run = work.run
    mine = BackfillTask.objects.filter(pk=task_id, status=TaskStatus.PENDING)
    resumed = BackfillTask.objects.filter(pk=task_id, status=TaskStatus.RUNNING, run_id=run.pk)
    changes: dict[str, Any] = {
        "status": TaskStatus.RUNNING,
        "run_id": run.pk,
        "claim_attempt": run.attempt,
        "next_try_at": None,
    }
    if not (
        mine.update(attempts=F("attempts") + 1, **changes)
        or resumed.filter(claim_attempt__lt=run.attempt).update(**changes)
    ):
        return None
    return BackfillTask.objects.select_related("series__market__exchange").get(pk=task_id)


def run(work: Work) -> None:
    """Do one attempt at the task of a run; without a task: start what waits (the sweep)."""
    now = timezone.now()
    task_id = work.payload.get("task_id")
    if task_id is None:
        work.report(phase="sweeping", counts={"started": backfilling.start_due(now=now)})
        return
    task = take(int(task_id), work)
    if task is None:
        return
    try:
        _attempt(task, work)
    except TransientError as error:
        _try_later(task, work, error)
        raise AttemptFailedError(f"{error.code}: {error}") from error
    except AppError as error:
        end(task, work, TaskStatus.FAILED, error=(error.code, str(error)), now=timezone.now())
        raise
    except StopWorkError as stop:
        if stop.reason == "canceled":
            why = ("canceled", "the run was canceled")
            end(task, work, TaskStatus.FAILED, error=why, now=timezone.now())
        raise
    finally:
        backfilling.start_due(now=timezone.now())


def run_retries(work: Work) -> None:
    """Try tasks again that failed lately for a reason that may have passed."""
    now = timezone.now()
    retried = backfilling.retry_failed_tasks(now=now, since=now - RETRIED_FOR)
    work.report(phase="retrying", progress=100, counts={"retried": retried})


def _attempt(task: BackfillTask, work: Work) -> None:
    collector = configuring.collector_of(task.series)
    means = configuring.means_of(collector)
    told = (task.series.market.symbol, task.series.timeframe)
    about = About(means.exchange, collector.name, *told, run_id=work.run.pk)
    tools = Tools(check=work.check)
    with asking.line_for(means, holder="markets.backfill", tools=tools, about=about) as line:
        work.report(phase="asking")
        line.synchronise()
        repair = Repair(task, work, line)
        repair.windows()
        repair.bridges()
    now = timezone.now()
    grid = timeframes.of(task.series.timeframe)
    around = ledger.around(task.series_id, grid, (task.start_ms, task.end_ms))
    ledger.survey(task.series, now=now, within=around)
    summarising.recount(task.series, now=now, is_sparse=collector.is_sparse)
    end(task, work, TaskStatus.COMPLETED, now=now)


class Repair:
    """One attempt at a task: its windows, then the proofs that its windows could not give."""

    def __init__(self, task: BackfillTask, work: Work, line: Line) -> None:
        self._task = task
        self._work = work
        self._line = line
        self._limits = line.means.limits
        self._grid = timeframes.of(task.series.timeframe)
        self._pager = Pager(line, task.series, self._grid)

    def windows(self) -> None:
        """Ask for the range; pages are widened, since one more candle costs nothing."""
        start, end = self._span()
        for page in self._pager.walk(start, end):
            self._commit(page)
            done_ms = min(page.asked.end_ms, end)
            progress = 100.0 * (done_ms - self._task.start_ms) / max(1, end - self._task.start_ms)
            self._keep(done_until_ms=done_ms, progress=max(0.0, min(99.0, progress)))

    def _span(self) -> Range:
        task, grid = self._task, self._grid
        limit = self._pager.limit_at(task.start_ms)
        spare = limit - grid.count(task.start_ms, task.end_ms)
        margin = max(1, spare // 2)
        last_ms = grid.after(grid.floor(self._line.now_ms()))
        end = min(grid.after(grid.floor(task.end_ms - 1), 1 + margin), last_ms)
        if task.done_until_ms is not None:
            return min(task.done_until_ms, end), end
        return max(0, grid.floor(task.start_ms - margin * grid.step_ms)), end

    def bridges(self) -> None:
        """Ask once from the candle before to the candle after each gap that is still unproven."""
        task = self._task
        ledger.survey(
            task.series,
            now=timezone.now(),
            within=ledger.around(task.series_id, self._grid, (task.start_ms, task.end_ms)),
        )
        for gap in self._unproven():
            before, after = ledger.around(task.series_id, self._grid, (gap.start_ms, gap.end_ms))
            page = self._pager.page(before, after)
            self._commit(page)

    def _unproven(self) -> list[Gap]:
        """Return the gaps of the range on which this attempt has no proof yet."""
        found = Gap.objects.filter(series=self._task.series).missing()
        found = found.touching(self._task.start_ms, self._task.end_ms)
        began = self._work.run.started_at
        settled = GapState.UNAVAILABLE
        return [
            gap
            for gap in found.exclude(state=settled)
            if not (gap.next_look_at and began and gap.looks and gap.next_look_at > began)
        ]

    def _commit(self, page: Page) -> None:
        self._work.check()
        now, task = timezone.now(), self._task
        partitions.ensure([row.open_time for row in page.rows])
        with transaction.atomic():
            done = self._store([row for row in page.rows if self._is_inside(row)], now)
            self._store([row for row in page.rows if not self._is_inside(row)], now)
            ledger.note_page(task.series, page, now=now, is_sparse=self._limits.is_sparse)
            reviewing.note_page(
                task.series, page, source=Source.BACKFILL, limits=self._limits, now=now
            )
            self._keep(candles_found=F("candles_found") + done.inserted)
        counts = self._work.run.counts
        self._work.report(
            phase="asking",
            counts={
                "pages": counts.get("pages", 0) + 1,
                "candles": counts.get("candles", 0) + done.inserted,
            },
        )

    def _is_inside(self, row: Row) -> bool:
        return self._task.start_ms <= row.open_time < self._task.end_ms

    def _store(self, rows: list[Row], now: datetime) -> Stored:
        return storing.upsert_candles(
            series_id=self._task.series_id, rows=rows, source=Source.BACKFILL, now=now
        )

    def _keep(self, **changes: Any) -> None:
        """Write to the task's row; a worker that lost the claim changes nothing.

        Raises:
            StopWorkError: the claim is another's.
        """
        if not _claimed(self._task, self._work).update(**changes):
            raise StopWorkError("lost")


def _claimed(task: BackfillTask, work: Work) -> Any:
    return BackfillTask.objects.filter(
        pk=task.pk,
        status=TaskStatus.RUNNING,
        run_id=work.run.pk,
        claim_attempt=work.run.attempt,
    )


def end(
    task: BackfillTask,
    work: Work,
    status: TaskStatus,
    *,
    error: tuple[str, str] = ("", ""),
    now: datetime,
) -> bool:
    """End a task, and let its gaps go; False when another worker has it by now."""
    changes: dict[str, Any] = {
        "status": status,
        "claim_attempt": None,
        "ended_at": now,
        "error_type": error[0],
        "error_message": error[1],
    }
    if status == TaskStatus.COMPLETED:
        rows = Candle.objects.filter(series=task.series).within(task.start_ms, task.end_ms)
        changes |= {"progress": 100.0, "candles_found": max(0, rows.count() - task.stored_before)}
    with transaction.atomic():
        ledger.lock(task.series)
        if not _claimed(task, work).update(**changes):
            return False
        backfilling.release_gaps(task, now=now, error=error[1])
    return True


def _try_later(task: BackfillTask, work: Work, error: TransientError) -> None:
    """Put a task back after a failure of the outside world, or fail it after too many."""
    now = timezone.now()
    if task.attempts >= MAX_ATTEMPTS:
        end(task, work, TaskStatus.FAILED, error=(error.code, str(error)), now=now)
        return
    grown = min(RETRY_MOST, RETRY_AFTER * 2 ** (task.attempts - 1))
    wait = max(grown, timedelta(seconds=error.retry_after_s or 0))
    _claimed(task, work).update(
        status=TaskStatus.PENDING,
        claim_attempt=None,
        next_try_at=now + wait,
        error_type=error.code,
        error_message=str(error),
    )
