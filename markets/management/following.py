"""Doing a run by hand: in this process, or following the worker that was faster."""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from project.core import sweeping, working
from project.core.choices import FINAL, RunStatus
from project.core.models import Run
from project.core.working import Work

LOOK_EVERY_S: Final = 0.25
BAR: Final = 30
GOOD: Final = (RunStatus.DONE,)


def do(run: Run, handler: Callable[[Work], None], *, out: Any) -> Run:
    """Do the run's work here, or follow whoever has it, until it has ended; tell how it goes.

    A run that an earlier process left behind is freed first; a retry is waited for.
    """
    sweeping.sweep(idle=0, now=timezone.now())
    bar = _Bar(run, out)
    bar.start()
    try:
        while not _has_ended(run):
            working.execute(str(run.pk), handler, kind=run.kind)
            if not _has_ended(run):
                time.sleep(LOOK_EVERY_S)
                sweeping.sweep(idle=0, now=timezone.now())
    finally:
        bar.stop()
    out.write(_summary(run))
    return run


def _has_ended(run: Run) -> bool:
    run.refresh_from_db()
    return run.status in FINAL


def _summary(run: Run) -> str:
    counts = ", ".join(f"{value:,} {name}" for name, value in sorted(run.counts.items()))
    error = f" ({run.error_message})" if run.error_message else ""
    took = f" in {run.duration_s:.1f} s" if run.duration_s is not None else ""
    return f"{run.subject or run.kind}: {run.status}{took}: {counts or 'nothing to do'}{error}"


class _Bar(threading.Thread):
    """Shows the progress that the run's row tells; on a terminal as a bar in one line."""

    def __init__(self, run: Run, out: Any) -> None:
        super().__init__(name="progress", daemon=True)
        self._run = run
        self._is_terminal = sys.stderr.isatty()
        self._over = threading.Event()
        self._told = ""

    def run(self) -> None:
        """Look and draw until stopped."""
        while not self._over.wait(LOOK_EVERY_S):
            row = Run.objects.filter(pk=self._run.pk).values(*_SHOWN).first()
            if row is not None:
                self._draw(row)
        connection.close()

    def stop(self) -> None:
        """Stop drawing; the line is left clear."""
        self._over.set()
        self.join()
        if self._is_terminal:
            sys.stderr.write("\r\033[K")

    def _draw(self, row: Any) -> None:
        name, percent = self._run.subject, row["progress"]
        if self._is_terminal:
            full = round(BAR * percent / 100)
            candles = row["counts"].get("candles", 0)
            line = f"{name} [{'#' * full}{'.' * (BAR - full)}] {percent:5.1f} %"
            sys.stderr.write(f"\r\033[K{line} {candles:,} candles, {_doing(row)}")
            sys.stderr.flush()
        elif _doing(row) != self._told:
            self._told = _doing(row)
            sys.stderr.write(f"{name}: {self._told}\n")


_SHOWN: Final = ("status", "phase", "progress", "counts", "next_try_at", "error_message")


def _doing(row: Any) -> str:
    """Return what the run does; of one that waits for its next attempt, until when and why."""
    if row["status"] != RunStatus.QUEUED or row["next_try_at"] is None:
        return str(row["phase"])
    return f"waits until {row['next_try_at']:%H:%M:%S} UTC: {row['error_message']}"
