"""The collect cycle: what is new since the last candle, and the history asked for.

Each page is committed together with how far the series has come, so that whoever goes on after
a death, at any moment, asks for the next window: no hole, no duplicate.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db import connections, transaction
from django.db.models import F, Q
from django.utils import timezone

from markets import (
    alerting,
    asking,
    configuring,
    discovering,
    errorlog,
    kinds,
    ledger,
    metrics,
    partitions,
    reviewing,
    storing,
    summarising,
    timeframes,
)
from markets.adapters.wire import UnknownSymbolError
from markets.asking import Line, Tools
from markets.checking import Asked, Page
from markets.choices import Mode, Source
from markets.configuring import Means
from markets.errorlog import About
from markets.models import Candle, CollectorConfig, Series
from markets.paging import Pager
from project.core import runs, tracing
from project.core.callers import Caller
from project.core.errors import AppError, TransientError
from project.core.models import Run
from project.core.moments import to_ms
from project.core.working import StopWorkError, Work

#: So many of the last candles are asked for again each time: exchanges correct them.
ASKED_AGAIN: Final = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of one series: history ``older`` than what there is, and what is ``newer``."""

    older: tuple[int, int]
    newer: tuple[int, int]


def ask(
    collector: CollectorConfig, *, by: Caller, now: datetime, payload: dict[str, Any] | None = None
) -> Run:
    """Ask for a run of one collector.

    Raises:
        AlreadyRunningError: it is collecting; ``run_id`` names the run.
    """
    return runs.submit(
        runs.Ask(
            kind=kinds.COLLECT.name,
            subject=collector.name,
            about=("markets.collectorconfig", collector.pk),
            payload={"collector_id": collector.pk, **(payload or {})},
            exclusive_key=f"collect:{collector.pk}",
        ),
        by=by,
        now=now,
    )


def run(work: Work) -> None:
    """Run the collector that is named; without one start a run of each that is enabled."""
    collector_id = work.payload.get("collector_id")
    if collector_id is None:
        started, busy = start_all(by=runs_as(work), now=timezone.now())
        work.report(phase="starting", counts={"started": started, "busy": busy})
        return
    collector = CollectorConfig.objects.select_related("exchange").get(pk=collector_id)
    Cycle(collector, work).run()


def runs_as(work: Work) -> Caller:
    """Return on whose behalf a run's own runs are asked for."""
    return Caller(user_id=work.run.requested_by_id, is_staff=True)


def start_all(*, by: Caller, now: datetime) -> tuple[int, int]:
    """Ask for a run of each enabled collector; return how many were started, and still busy."""
    started = busy = 0
    for collector in CollectorConfig.objects.enabled().exclude(mode=Mode.LIVE):
        try:
            ask(collector, by=by, now=now)
            started += 1
        except runs.AlreadyRunningError:
            busy += 1
    return started, busy


class Cycle:
    """One run of a collector: its series in parallel, each with a line of its own."""

    def __init__(self, collector: CollectorConfig, work: Work) -> None:
        self._collector = collector
        self._work = work
        self._means = configuring.means_of(collector)
        self._lock = threading.Lock()
        self._asked: dict[int, float] = {}
        self._failed: dict[int, AppError] = {}
        self._stop: StopWorkError | None = None
        self._skew_ms: int | None = None

    def run(self) -> None:
        """Collect; series that fail don't keep the others from their candles.

        Raises:
            AppError: all series failed; the first failure that may be gone later, else the first.
        """
        self._work.report(phase="reading markets")
        chosen = self._chosen()
        self._asked = dict.fromkeys((one.pk for one in chosen), 0.0)
        self._work.report(phase="collecting", counts={"series": len(chosen)})
        workers = min(self._collector.concurrency, len(chosen))
        if workers <= 1:
            for series in chosen:
                self._collect(series)
        else:
            with ThreadPoolExecutor(workers, thread_name_prefix="collect") as pool:
                jobs = [
                    # its log lines and spans belong to this run
                    pool.submit(copy_context().run, self._collect_in_thread, series)
                    for series in chosen
                ]
            for job in jobs:
                job.result()
        if self._stop is not None:
            raise self._stop
        self._conclude(chosen)

    def _chosen(self) -> list[Series]:
        """Return the series to be collected; where they can't be told all of them failed."""
        try:
            return self._series()
        except AppError as error:
            named = configuring.ensure_series(self._collector)
            rows = Series.objects.filter(pk__in=[one.pk for one in named]).enabled()
            self._note_failures(dict.fromkeys(rows.select_related("market__exchange"), error))
            raise

    def _series(self) -> list[Series]:
        """Return the series to be collected; the exchange's list of markets is read if it is due."""
        collector, now = self._collector, timezone.now()
        named = {series.pk for series in configuring.ensure_series(collector)}
        rows = Series.objects.filter(pk__in=named).enabled().select_related("market__exchange")
        is_unknown = rows.filter(market__exchange_symbol="").exists()
        if is_unknown or discovering.is_due(collector.exchange, now=now):
            with self._line() as line:
                discovering.refresh(collector.exchange, line, now=now)
            self._means = configuring.means_of(collector)  # by the limits that were just told
        # of a market that was listed once and is no more nothing can be had
        return list(rows.exclude(~Q(market__exchange_symbol=""), market__is_listed=False))

    def _line(self) -> Line:
        tools = Tools(check=self._check)
        holder = f"collect:{self._collector.name}"
        return asking.line_for(self._means, holder=holder, tools=tools, about=self._about())

    def _about(self, series: Series | None = None) -> About:
        told = (series.market.symbol, series.timeframe) if series else ("", "")
        return About(self._means.exchange, self._collector.name, *told, run_id=self._work.run.pk)

    def _check(self) -> None:
        if self._stop is not None:
            raise self._stop
        self._work.check()

    def _span(self, series: Series) -> AbstractContextManager[None]:
        told = {"exchange": self._means.exchange, "symbol": series.market.symbol}
        return tracing.span("markets.collect_series", **told, timeframe=series.timeframe)

    def _collect_in_thread(self, series: Series) -> None:
        try:
            self._collect(series)
        finally:
            connections.close_all()

    def _collect(self, series: Series) -> None:
        try:
            with self._span(series), self._line() as line:
                line.about = self._about(series)
                _require_listed(series)
                self._synchronise(line)
                self._pages(series, line)
            self._summarise(series)
        except StopWorkError as stop:
            self._stop = stop
            return
        except AppError as error:
            errorlog.record(error, self._about(series), now=timezone.now())
            self._failed[series.pk] = error
            return
        except Exception as error:  # a bug, or the database: the run says so, the log as well
            errorlog.record(error, self._about(series), now=timezone.now())
            raise
        Series.objects.filter(pk=series.pk, failures__gt=0).update(failures=0, last_error="")

    def _synchronise(self, line: Line) -> None:
        """Learn the exchange's time once a cycle."""
        if self._skew_ms is None:
            line.synchronise()
            self._skew_ms = line.skew_ms
        line.skew_ms = self._skew_ms

    def _pages(self, series: Series, line: Line) -> None:
        grid = timeframes.of(series.timeframe)
        pager = Pager(line, series, grid)
        plan = plan_of(self._collector, series, pager, now_ms=line.now_ms())
        whole = grid.count(*plan.older) + grid.count(*plan.newer)
        done = 0
        for page in _newer_then_older(pager, plan):
            commit(series, page, means=self._means)
            done += grid.count(page.asked.start_ms, page.asked.end_ms)
            self._report(series, 100.0 * done / max(1, whole), page)

    def _summarise(self, series: Series) -> None:
        is_sparse = self._means.limits.is_sparse
        summarising.recount(series, now=timezone.now(), is_sparse=is_sparse, days=1)

    def _report(self, series: Series, percent: float, page: Page) -> None:
        with self._lock:
            self._asked[series.pk] = min(100.0, percent)
            counts = self._work.run.counts
            told = {
                "pages": counts.get("pages", 0) + 1,
                "candles": counts.get("candles", 0) + len(page.rows),
            }
            progress = sum(self._asked.values()) / len(self._asked)
            self._work.report(progress=min(99.0, progress), counts=told)

    def _conclude(self, chosen: list[Series]) -> None:
        failed = list(self._failed.values())
        self._note_failures({one: self._failed[one.pk] for one in chosen if one.pk in self._failed})
        good = {one.market_id for one in chosen} - {
            one.market_id for one in chosen if one.pk in self._failed
        }
        alerting.succeeded(self._collector, good, now=timezone.now())
        if not failed:
            return
        if len(failed) == len(chosen):
            raise next((one for one in failed if isinstance(one, TransientError)), failed[0])
        first = f"{failed[0].code}: {failed[0]}"
        self._work.leave_partial(f"{len(failed)} of {len(chosen)} series failed, {first}")

    def _note_failures(self, failed: dict[Series, AppError]) -> None:
        """Count the failure of each series, and of each market once."""
        now, markets = timezone.now(), dict[int, tuple[Series, AppError]]()
        for series, error in failed.items():
            _note_failure(series, error)
            markets.setdefault(series.market_id, (series, error))
        for series, error in markets.values():
            alerting.failed(self._collector, series.market, error, now=now)


def _require_listed(series: Series) -> None:
    if not series.market.exchange_symbol:
        raise UnknownSymbolError(f"{series.market} is not on the exchange's list of markets")


def _note_failure(series: Series, error: AppError) -> None:
    Series.objects.filter(pk=series.pk).update(
        failures=F("failures") + 1, last_error=f"{error.code}: {error}"[:300]
    )


def plan_of(collector: CollectorConfig, series: Series, pager: Pager, *, now_ms: int) -> Plan:
    """Return what is to be asked of a series at ``now_ms``, the exchange's time.

    What is newer begins with the last candles that are asked for again; where the exchange had
    nothing lately it goes back by one page at most.
    """
    grid = pager.timeframe
    start = wanted_from(collector, series, pager, now_ms=now_ms)
    end = grid.after(grid.floor(now_ms))
    is_over = False
    if collector.end_at is not None and collector.mode == Mode.RANGE:
        is_over = grid.ceil(to_ms(collector.end_at)) < end
        end = min(end, grid.ceil(to_ms(collector.end_at)))
    series.refresh_from_db(fields=["collected_from_ms", "collected_until_ms"])
    first, until = series.collected_from_ms, series.collected_until_ms
    if first is None or until is None:
        return Plan(older=(start, start), newer=(start, max(start, end)))
    older = (start, max(start, first))
    if is_over and until >= end:
        return Plan(older, newer=(end, end))
    last = Candle.objects.filter(series=series).within(None, until).order_by("-open_time")
    stored = last.values_list("open_time", flat=True).first()
    resume = until if stored is None else min(until, grid.after(stored))
    resume = max(resume, grid.after(until, -pager.limit_at(until)))
    newer = max(first, grid.after(resume, -ASKED_AGAIN))
    return Plan(older, newer=(newer, max(newer, end)))


def wanted_from(collector: CollectorConfig, series: Series, pager: Pager, *, now_ms: int) -> int:
    """Return the first moment wanted of a series: the collector's start, not before the listing.

    Without a start it is one page before now, once and for all.
    """
    grid = pager.timeframe
    if collector.start_at is None:
        known = series.collected_from_ms
        return (
            grid.after(grid.floor(now_ms), -pager.limit_at(now_ms) + 1) if known is None else known
        )
    wanted = grid.ceil(to_ms(collector.start_at))
    listed = series.market.listed_ms
    return wanted if listed is None else max(wanted, grid.floor(listed))


def _newer_then_older(pager: Pager, plan: Plan) -> Iterator[Page]:
    """Yield the pages of a plan: what is new first, then history, backwards, so that it resumes."""
    yield from pager.walk(*plan.newer)
    start, at = plan.older
    while at > start:
        low = max(start, pager.timeframe.after(at, -pager.limit_at(start)))
        page = pager.page(low, at)
        if not page.rows and low > start and not pager.page(start, low).rows:
            yield Page(_from(page, start), [], egress=page.egress)
            return
        yield page
        at = low


def _from(page: Page, start_ms: int) -> Asked:
    """Return what a page was asked for, from ``start_ms`` on: there is nothing before it either."""
    return replace(page.asked, start_ms=start_ms)


def commit(
    series: Series,
    page: Page,
    *,
    means: Means,
    now: datetime | None = None,
) -> storing.Stored:
    """Store a page, and how far the series has come with it, in one transaction."""
    moment = now or timezone.now()
    partitions.ensure([row.open_time for row in page.rows])
    with transaction.atomic():
        done = storing.upsert_candles(
            series_id=series.pk, rows=page.rows, source=Source.COLLECT, now=moment
        )
        ledger.note_page(series, page, now=moment, is_sparse=means.limits.is_sparse)
        reviewing.note_page(series, page, source=Source.COLLECT, limits=means.limits, now=moment)
        _advance(series, page, moment)
    for result in ("inserted", "updated", "revised"):
        metrics.CANDLES.labels(means.exchange, result).inc(getattr(done, result))
    return done


def _advance(series: Series, page: Page, now: datetime) -> None:
    """Move the ends of what was asked for; a candle that isn't final yet is asked for again."""
    open_ones = (row.open_time for row in page.rows if not row.final)
    until = next(open_ones, page.asked.end_ms)
    row = Series.objects.filter(pk=series.pk)
    row.filter(collected_from_ms__isnull=True).update(
        collected_from_ms=page.asked.start_ms, collected_until_ms=page.asked.start_ms
    )
    row.filter(collected_from_ms__gt=page.asked.start_ms).update(
        collected_from_ms=page.asked.start_ms
    )
    row.filter(collected_until_ms__lt=until, collected_until_ms__gte=page.asked.start_ms).update(
        collected_until_ms=until
    )
    row.update(collected_at=now)
